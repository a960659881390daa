import { metricMeter } from '@temporalio/workflow';
import type { DriftDay } from '../../domain/drift/day.js';
import { recorderOf, type Recorder } from '../../domain/metrics/recorder.js';
import type { CheckResult } from '../../domain/release/types.js';

// What workflows measure. Temporal's meter records nothing while a history is replayed, and makes no command.
const recorder: Recorder = recorderOf(metricMeter);

/** Statuses of runs that go on. */
const ON_THE_WAY = new Set(['Running', 'WaitingForApproval']);

/** A run has this status now; those that end it are counted. */
export function countStatus(model: string, status: string): void {
  if (!ON_THE_WAY.has(status)) recorder.count('sluice_runs_ended_total', { model, status });
}

/** The outcome of every row of a table of gates. */
export function countGates(model: string, gates: readonly CheckResult[]): void {
  for (const { name, passed } of gates)
    recorder.count('sluice_gates_total', { model, gate: name, outcome: passed ? 'passed' : 'failed' });
}

/** What became of every artifact of a refresh that has ended, and the jobs that made none. Those that still wait have no outcome. */
export function countRefreshed(
  model: string,
  jobs: readonly { job: string; state: string; artifacts: readonly { outcome: string }[] }[],
): void {
  for (const { job, state, artifacts } of jobs) {
    if (state === 'failed') recorder.count('sluice_refresh_artifacts_total', { model, job, outcome: 'failed' });
    for (const { outcome } of artifacts)
      if (outcome !== 'ready' && outcome !== 'held')
        recorder.count('sluice_refresh_artifacts_total', { model, job, outcome });
  }
}

/** The last comparison's figures; what it could not compute keeps its former value. */
export function setDrift({ model, asOf, psi, featuresWithDrift, sustained, ...day }: DriftDay): void {
  for (const [feature, value] of Object.entries(psi))
    if (value !== null) recorder.set('sluice_drift_psi', value, { model, feature });
  recorder.set('sluice_drift_features', featuresWithDrift.length, { model });
  recorder.set('sluice_drift_days', sustained.days, { model });
  recorder.set('sluice_drift_compared_timestamp_seconds', Date.parse(asOf) / 1000, { model });
  if (day.alertRateRatio !== null) recorder.set('sluice_drift_alert_rate_ratio', day.alertRateRatio, { model });
  if (day.stalenessHours !== null && day.stalenessHours >= 0)
    recorder.set('sluice_drift_newest_row_age_seconds', day.stalenessHours * 3600, { model });
}
