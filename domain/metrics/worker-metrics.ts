import type { Catalogue } from './metric.js';

/**
 * What the workers export beside Temporal's own metrics. To those of workflows and activities Temporal's SDK adds the labels `namespace`,
 * `taskQueue`, and `workflowType` or `activityType`; its own metrics have `task_queue`, `workflow_type`, `activity_type`.
 */
export const WORKER_METRICS = {
  sluice_activity_seconds: {
    type: 'histogram',
    labels: ['outcome'],
    help: "An activity's time in its worker by outcome: ok, cancelled, or the type of its failure.",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600],
  },
  sluice_mongo_aggregation_seconds: {
    type: 'histogram',
    labels: ['collection'],
    help: 'The time that MongoDB took to answer an aggregation, all its replies together, without ours between them.',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
  },
  sluice_runs_ended_total: {
    type: 'counter',
    labels: ['model', 'status'],
    help: 'Runs that ended, by the status that they ended with; workflowType says what kind of run.',
  },
  sluice_gates_total: {
    type: 'counter',
    labels: ['model', 'gate', 'outcome'],
    help: 'Gates evaluated for releases, the comparison with the champion among them: passed or failed.',
  },
  sluice_refresh_artifacts_total: {
    type: 'counter',
    labels: ['model', 'job', 'outcome'],
    help: "What became of refreshed artifacts: live, unchanged, older, superseded, rejected, expired; failed is a job's.",
  },
  sluice_drift_psi: {
    type: 'gauge',
    labels: ['model', 'feature'],
    help: 'Population stability index of a feature, or of the score, in the last comparison.',
  },
  sluice_drift_features: {
    type: 'gauge',
    labels: ['model'],
    help: 'Features with drift in the last comparison.',
  },
  sluice_drift_days: {
    type: 'gauge',
    labels: ['model'],
    help: 'Days with drift among the last ones that the retraining rule looks at.',
  },
  sluice_drift_alert_rate_ratio: {
    type: 'gauge',
    labels: ['model'],
    help: "The window's alert rate over the training data's, in the last comparison that knew both.",
  },
  sluice_drift_newest_row_age_seconds: {
    type: 'gauge',
    labels: ['model'],
    help: 'Age of the newest scored row when it was last compared.',
  },
  sluice_drift_compared_timestamp_seconds: {
    type: 'gauge',
    labels: ['model'],
    help: 'The time up to which rows were compared last, in seconds since 1970.',
  },
} as const satisfies Catalogue;
export type WorkerMetrics = typeof WORKER_METRICS;
