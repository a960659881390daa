import { shortCalls } from '../common/proxies.js';
import type { RollbackRun } from './run.js';

/** What the report says of how a rollback ended. */
interface RollbackEnd {
  status: string;
  bundleVersion: string | null;
  modelVersion: string | null;
  generation: number | null;
  reason: string;
}

/** The last step, however the rollback ended. */
export async function report({ input, caller, log }: RollbackRun, end: RollbackEnd): Promise<void> {
  await log.run('report', () =>
    shortCalls.writeReport({
      model: input.model,
      releaseId: input.releaseId,
      runId: null,
      // The registry follows production only: in staging the version keeps the stage it has.
      stage: end.modelVersion === null || input.environment !== 'production' ? null : 'Production',
      metrics: {},
      gates: [],
      dataSnapshotId: null,
      snapshotPrefix: null,
      actor: caller.actor,
      finishedAt: new Date().toISOString(),
      ...end,
    }),
  );
  log.close();
}
