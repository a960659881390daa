import { setDrift } from '../common/metrics.js';
import { nothingLive } from '../common/nothing-live.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { notifyDrift, notifyInconclusive, notifyNothingLive, notifyFailure, type Undecided } from './notifications.js';
import type { DriftInput, DriftResult } from './contract.js';
import { retrain } from './retrain.js';
import { DriftRun } from './run.js';
import { bundleIdOf, type BundleId } from '../../domain/bundle/id.js';

/**
 * What was scored lately, against what the live model was trained on. People are notified of drift; drift that lasts and costs too many alerts
 * starts a retraining, once per cool-down. They are notified of too little data as well: it never counts as a pass.
 */
export async function monitorDrift(input: DriftInput): Promise<DriftResult> {
  const run = new DriftRun(input);
  try {
    await (input.kind === 'weekly' ? keepSnapshot(run) : compare(run));
  } catch (error) {
    run.fail(error);
    notifyFailure(run, error);
    await run.notified();
    throw error;
  }
  run.log.close();
  await run.notified();
  return run.result();
}

async function compare(run: DriftRun): Promise<void> {
  const { model, key, asOf } = run.input;
  const bundle = await liveBundle(run);
  if (bundle === null) return;

  const day = await run.step(
    'compare',
    () => bulkIo.compareWindow({ model, key, asOf, bundle }),
    ({ rows, verdict }) => `${rows} rows: ${verdict}`,
  );
  run.update({ day, why: day.why });
  if (day.verdict === 'inconclusive')
    return await inconclusive(run, day.why, { modelVersion: day.modelVersion, since: day.since });
  setDrift(day);

  // First what must not be late, then what may wait for a server that is down.
  if (day.action === 'retrain') {
    const retraining = await run.step(
      'retraining',
      () => retrain(day),
      ({ outcome, claim, until }) => (outcome === 'started' ? claim.releaseId : `cooling down until ${until}`),
    );
    run.update({ retraining });
  }
  const { retraining } = run.progress;
  if (day.action !== 'none') await run.step('alert', () => notifyDrift(run, day, retraining));
  const { url } = await run.step(
    'MLflow',
    () => shortCalls.logDriftReport({ model, key }),
    ({ runId }) => `run ${runId}`,
  );
  const drift = retraining?.outcome === 'started' ? 'Retraining' : 'Drift';
  const status = { none: 'None', warn: 'Warning', drift } as const;
  run.update({ mlflowUrl: url, status: status[day.verdict] });
}

async function keepSnapshot(run: DriftRun): Promise<void> {
  const { model, key, asOf } = run.input;
  const bundle = await liveBundle(run);
  if (bundle === null) return;
  const snapshot = await run.step(
    'snapshot',
    () => bulkIo.snapshotWindow({ model, key, asOf, bundle }),
    ({ rows }) => `${rows} rows`,
  );
  run.update({ snapshot, why: snapshot.why });
  if (snapshot.snapshotKey === null) return await inconclusive(run, snapshot.why, { since: snapshot.since });
  run.update({ status: 'Recorded' });
}

/** What answers live requests; null, after a notification, when nothing does. Told once for a model: the next night says nothing new. */
async function liveBundle(run: DriftRun): Promise<BundleId | null> {
  const { model } = run.input;
  const live = await run.step(
    'live bundle',
    () => shortCalls.readPointer({ model, environment: 'production' }),
    (pointer) => pointer?.version ?? 'none',
  );
  run.hold(live?.version);
  if (live !== null) return bundleIdOf(live);
  const why = nothingLive(model);
  await run.step('alert', () => notifyNothingLive(run, why));
  run.update({ status: 'Inconclusive', why });
  return null;
}

async function inconclusive(run: DriftRun, why: string, same: Undecided): Promise<void> {
  await run.step('alert', () => notifyInconclusive(run, why, same));
  run.update({ status: 'Inconclusive', why });
}
