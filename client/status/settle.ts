import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../../platform/config.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { rolloutId } from '../../workflows/rolloutBundle/contract.js';
import { WORKFLOW, type SettleInput, type SettleResult } from '../../workflows/settleModel/contract.js';
import { openSession } from '../session.js';

/** Who asks how things stand does not wait for long; what is begun ends by itself and tells people. */
const PATIENCE_MS = 5_000;

/**
 * Has put right what a run that was terminated left behind: aliases, stages, a live bundle that nobody smoke-tested. A rollout that is under
 * way is left alone.
 * @param models that have something live in production
 * @returns a line for each thing that was found
 */
export async function settleModels(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  models: readonly string[],
): Promise<string[]> {
  const session = await openSession(settings, env);
  try {
    const each = await Promise.all(
      models.map(async (model) => {
        const input: SettleInput = { model, environment: 'production' };
        const handle = await session.client.workflow.start<(input: SettleInput) => Promise<SettleResult>>(WORKFLOW, {
          taskQueue: QUEUES.release,
          workflowId: rolloutId(model, 'production'),
          args: [input],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: 'what stopped runs left behind',
        });
        const result = handle.result().catch(() => null);
        const settled = await Promise.race([result, delay(PATIENCE_MS, null, { ref: false })]);
        // Of a rollout that had the id, or of one that takes longer, there is nothing to say here.
        if (settled === null || !('mended' in settled)) return [];
        const { mended, failed } = settled;
        return [
          ...mended.map((what) => `put right  ${model}: ${what}`),
          ...(failed === null ? [] : [`wrong      ${model}: ${failed}`]),
        ];
      }),
    );
    return each.flat();
  } finally {
    await session.close();
  }
}
