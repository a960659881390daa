/** The figures by which people know a model: in the client's summary, and as the columns of its progress table. */
export const HEADLINE_METRICS: readonly string[] = [
  'auc_roc',
  'auc_pr',
  'precision',
  'recall',
  'f1_score',
  'precision_at_0.5pct',
  'precision_at_1pct',
  'alert_rate',
];
