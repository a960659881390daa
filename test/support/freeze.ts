import { existsSync, writeFileSync } from 'node:fs';
import proto from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';
import { projectPath } from '../../platform/project.js';

/** Keeps a run's history for the replay gate, when asked to (`SLUICE_FREEZE=1`). Written once, never again: old runs must replay on new code. */
export async function freeze(name: string, handle: WorkflowHandle): Promise<void> {
  const kind = handle.workflowId.split('/')[0] as string;
  const file = projectPath('test', 'replay', 'histories', `${name}-${kind}.bin`);
  if (existsSync(file) || process.env['SLUICE_FREEZE'] !== '1') return;
  writeFileSync(file, proto.temporal.api.history.v1.History.encode(await handle.fetchHistory()).finish());
}
