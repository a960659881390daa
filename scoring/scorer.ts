import { resolve } from 'node:path';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createControl, type Control } from './control/control.js';
import { createDirectoryReader } from './control/directory-reader.js';
import { servePinned, type Pinned } from './control/pinned.js';
import { readiness } from './control/readiness.js';
import { createFleet } from './fleet/fleet.js';
import { aggregated } from './metrics/aggregate.js';
import type { ControlView, ReplicaState } from './serving/control-view.js';
import { createServing, type Serving } from './serving/serving.js';
import type { ScorerSettings } from './settings.js';
import { readScorerFiles } from './trust.js';

export interface Scorer {
  /** base URL on which it listens */
  address: string;
  /** Tells callers to go elsewhere, answers what comes meanwhile, finishes what is under way, and lets go of everything. */
  stop(): Promise<void>;
}

/**
 * Wires and starts a scorer. It listens when this returns; whether it is ready is another question, which `/v1/health` answers.
 * @throws SluiceError for settings, keys, a spec or a pinned bundle that cannot be used: starting again would not help
 */
export async function startScorer(
  settings: ScorerSettings,
  /** TLS and API key for Temporal; the address is the settings' */
  temporal: NativeConnectionOptions,
  log: Logger,
): Promise<Scorer> {
  const { spec, trust } = await readScorerFiles(settings);
  let draining = false;
  let address = '';
  let control: Control | null = null;
  let pinned: Pinned | null = null;
  const view: ControlView = {
    state: () => stateOf(draining, serving, control, pinned),
    metrics: settings.SCORER_PROCESSES === 1 ? null : async () => aggregated(await serving.metrics()),
    catchUp: () => (pinned ?? (control as Control).follower).catchUp(),
  };
  const serving: Serving =
    settings.SCORER_PROCESSES === 1
      ? await createServing({ settings, spec, view, log })
      : await createFleet({ settings, view, log });
  if (settings.ARTIFACTS_DIR === '')
    control = await createControl({ settings, temporal, trust, serving, address: () => address, log });
  else
    pinned = await servePinned({
      trust,
      serving,
      open: createDirectoryReader(resolve(settings.ARTIFACTS_DIR)),
      watchMs: settings.SCORER_WATCH_MS,
      onRound: serving.reloaded,
      log,
    });
  address = await serving.listen(settings.SCORER_PORT);
  control?.start();
  pinned?.start();

  const stop = async (): Promise<void> => {
    draining = true;
    await Promise.all([control?.leave(), pinned?.stop(), serving.drain()]);
    await serving.close();
    await control?.close();
  };
  let stopping: Promise<void> | null = null;
  return { address, stop: () => (stopping ??= stop()) };
}

/** The parts' own states, as the signals of which readiness is made. */
async function stateOf(
  draining: boolean,
  serving: Pick<Serving, 'status'>,
  control: Control | null,
  pinned: Pinned | null,
): Promise<ReplicaState> {
  const { serves, models, generation, kernelRefusal, away, predictionLog } = await serving.status();
  const held = control?.lease?.status();
  const followed = control?.follower.status();
  const staleSince = followed?.staleSince ?? null;
  const { ready, reasons, notices } = readiness({
    draining,
    bundle: serves,
    models,
    kernelRefusal,
    processesAway: away,
    registry: held?.registry ?? 'none',
    caughtUp: (followed?.caughtUpAtMs ?? -1) >= (held?.gainedAtMs ?? Infinity),
    firstLease: held?.gained === 1,
    pointerError: followed?.error ?? null,
    staleSince,
    pinnedError: pinned?.error() ?? null,
    newerElsewhere: Math.max(held?.newestGeneration ?? 0, followed?.knownGeneration ?? 0) > (generation ?? 0),
    temporal: control?.worker?.status() ?? 'none',
    predictionLog,
  });
  return { ready, reasons, notices, predictionLog, staleSince };
}
