import { budgetName } from '../thresholds/calibrate.js';

/** What the trainer's `evaluate` measures of every model, on held-out rows; training/sluice_trainer/metrics.py says what each is. */
const MEASURED = [
  'test_rows',
  'test_positives',
  'auc_roc',
  'auc_pr',
  'log_loss',
  'precision',
  'recall',
  'f1_score',
  'alert_rate',
  'daily_alerts',
  'false_positive_rate',
  'fraud_caught_rate',
  'cost_per_alert',
  'ece',
  'brier',
  'operating_threshold',
  'scoring_latency_p50_ms',
  'scoring_latency_p99_ms',
] as const;

/** Every metric that a gate can ask for. @param alertBudgets shares of all rows, as the spec has them */
export function measuredMetrics(alertBudgets: readonly number[]): string[] {
  const ofBudgets = alertBudgets
    .map(budgetName)
    .flatMap((name) => [
      `precision_at_${name}`,
      ...['threshold', 'alert_rate', 'precision', 'recall'].map((figure) => `budget_${name}_${figure}`),
    ]);
  return [...MEASURED, ...ofBudgets];
}
