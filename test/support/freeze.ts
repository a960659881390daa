import { existsSync, writeFileSync } from 'node:fs';
import proto from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { projectPath } from '../../platform/project.js';

/** Keeps the history of runs for the replay gate, when asked to (`SLUICE_FREEZE=1`). Written once, never again: old runs must replay on new code. */
export async function freeze(name: string, ...handles: WorkflowHandle[]): Promise<void> {
  for (const handle of handles) {
    const kind = handle.workflowId.split('/')[0] as string;
    const file = projectPath('test', 'replay', 'histories', `${name}-${kind}.bin`);
    if (existsSync(file) || process.env['SLUICE_FREEZE'] !== '1') continue;
    writeFileSync(file, proto.temporal.api.history.v1.History.encode(await handle.fetchHistory()).finish());
  }
}
