import type { DriftReport } from '../../schemas/types.js';
import { worseMetrics } from '../drift/performance.js';
import { movedBeyond } from '../drift/rates.js';
import type { DriftPolicy } from '../drift/types.js';

/** What makes drift that lasts a matter for a retraining. */
export type Pressure = NonNullable<DriftPolicy['retraining']['pressures']>[number];

const ALL: readonly Pressure[] = ['alert_rate', 'recall', 'precision', 'auc_pr', 'score'];

/**
 * Which of the spec's pressures a day's report shows. Drift that costs nobody anything is for people to look at: a model that is retrained for
 * every drifted feature forgets what it knew.
 */
export function pressuresOf(
  report: Pick<DriftReport, 'alert_rate' | 'prediction' | 'performance' | 'known_frauds'>,
  policy: DriftPolicy,
): Pressure[] {
  const { pressures = ALL, max_alert_rate_ratio } = policy.retraining;
  const worse = new Set(worseMetrics(report.performance, policy));
  const shown: Record<Pressure, boolean> = {
    alert_rate: movedBeyond(report.alert_rate, max_alert_rate_ratio) !== null,
    recall: worse.has('recall') || report.known_frauds?.verdict === 'drift',
    precision: worse.has('precision'),
    auc_pr: worse.has('auc_pr'),
    score: report.prediction.verdict === 'drift',
  };
  return ALL.filter((pressure) => pressures.includes(pressure) && shown[pressure]);
}
