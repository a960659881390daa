import { ApplicationFailure } from '@temporalio/common';
import { bundleIdOf, type BundleId } from '../../domain/bundle/id.js';
import { allPassed, compareWithChampion, evaluateGates } from '../../domain/gates/gates.js';
import type {
  BundleRef,
  CheckResult,
  EvaluationResult,
  ModelSpec,
  SnapshotRef,
  TrainingResult,
} from '../../domain/release/types.js';
import { countGates } from '../common/metrics.js';
import { bulkIo, shortCalls, training } from '../common/proxies.js';
import type { ReleaseRun } from './run.js';

/**
 * Figures on the held-out rows and the gates over them, next to the champion's on the same rows.
 * @param own a re-based bundle: its lookups decide the candidate's features; null takes the snapshot's
 * @param champion the bundle to compare with, on its own features; null when nothing is live
 */
export async function judge(
  run: ReleaseRun,
  { spec, snapshot, trained }: { spec: ModelSpec; snapshot: SnapshotRef; trained: TrainingResult },
  own: BundleRef | null,
  champion: BundleId | null,
): Promise<{ result: EvaluationResult; gates: CheckResult[] }> {
  const { releaseId } = run.input;
  const features = ({ version, manifestSha256 }: BundleId) =>
    bulkIo.championFeatures({ ...run.of, releaseId, snapshot, bundle: { version, manifestSha256 } });
  const result = await training.evaluate({
    ...run.of,
    releaseId,
    snapshot,
    runId: trained.runId,
    champion: champion === null ? null : { ...champion, ...(await features(champion)) },
    ...(own === null ? {} : { candidateParquetKey: (await features(own)).parquetKey }),
  });
  const gates = [
    ...evaluateGates(result.metrics, spec.gates),
    ...compareWithChampion(result.metrics, result.champion, spec.champion_comparison),
  ];
  countGates(run.input.model, gates);
  run.update({ metrics: result.metrics, gates });
  return { result, gates };
}

/** The evaluation step: against what is live now; fails with GateFailed and the whole table. */
export async function evaluateAgainstLive(
  run: ReleaseRun,
  spec: ModelSpec,
  snapshot: SnapshotRef,
  trained: TrainingResult,
): Promise<EvaluationResult> {
  const live = await shortCalls.readPointer({ model: run.input.model, environment: 'production' });
  const champion = live === null ? null : bundleIdOf(live);
  run.hold(champion?.version);
  const { result, gates } = await judge(run, { spec, snapshot, trained }, null, champion);
  if (!allPassed(gates)) throw checksFailed('GateFailed', 'the model did not pass its gates', gates);
  return result;
}

/** A final failure that says which rows failed and by how much; the table travels in its details. */
export function checksFailed(
  type: 'GateFailed' | 'DataCheckFailed',
  message: string,
  checks: { passed: boolean; message: string }[],
): ApplicationFailure {
  const reasons = checks.filter(({ passed }) => !passed).map((check) => check.message);
  return ApplicationFailure.create({
    type,
    message: `${message}: ${reasons.join('; ')}`,
    nonRetryable: true,
    details: [checks],
  });
}
