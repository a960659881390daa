import type { Aggregator } from 'prom-client';
import type { MetricFacts } from '../../domain/metrics/metric.js';

export interface ScorerMetricFacts extends MetricFacts {
  /** makes one figure of several processes' */
  aggregator: Aggregator;
}

/** 50 µs to 1 s */
export const SCORING_BUCKETS = [
  0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
] as const;

/** What a scorer exports beside prom-client's own metrics of a Node.js process. */
export const SCORER_METRICS = {
  sluice_scorer_scoring_seconds: {
    type: 'histogram',
    labels: ['request'],
    help: 'The time from a request to its scores: single for one transaction, list for several.',
    aggregator: 'sum',
    buckets: SCORING_BUCKETS,
  },
  sluice_scorer_requests_total: {
    type: 'counter',
    labels: ['route', 'status'],
    help: 'Answered requests by group of routes and HTTP status.',
    aggregator: 'sum',
  },
  sluice_scorer_rows_total: {
    type: 'counter',
    labels: ['arm'],
    help: 'Scored transactions.',
    aggregator: 'sum',
  },
  sluice_scorer_alerts_total: {
    type: 'counter',
    labels: ['arm'],
    help: 'Scored transactions whose decision was an alert; over the rows it is the alert rate.',
    aggregator: 'sum',
  },
  sluice_scorer_threshold_hits_total: {
    type: 'counter',
    labels: ['threshold'],
    help: "Alerts by the threshold that decided: operating, or a category's own, whichever bundle answered.",
    aggregator: 'sum',
  },
  sluice_scorer_queued_rows: {
    type: 'gauge',
    labels: [],
    help: 'Transactions that wait for the models.',
    aggregator: 'sum',
  },
  sluice_scorer_reload_seconds: {
    type: 'histogram',
    labels: ['outcome'],
    help: 'Reloads by outcome and their time: loaded, current (nothing new), failed (the former bundle serves on).',
    aggregator: 'sum',
    buckets: [0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
  },
  sluice_scorer_generation: {
    type: 'gauge',
    labels: [],
    help: 'The generation that is served; absent without a pointer.',
    aggregator: 'min',
  },
  sluice_scorer_bundle_info: {
    type: 'gauge',
    labels: ['arm', 'model', 'model_version', 'bundle_version'],
    help: '1 for each bundle that is served.',
    aggregator: 'max',
  },
  sluice_scorer_bundle_age_seconds: {
    type: 'gauge',
    labels: ['arm'],
    help: 'Time since the bundle was made.',
    aggregator: 'max',
  },
  sluice_scorer_fx_age_days: {
    type: 'gauge',
    labels: ['arm'],
    help: "Whole days since the fixing of the bundle's exchange rates; absent for a model without any.",
    aggregator: 'max',
  },
  sluice_scorer_engine: {
    type: 'gauge',
    labels: ['arm', 'engine'],
    help: "1 for the engine that computes the bundle's models, kernel or onnxruntime, 0 for the other.",
    aggregator: 'sum',
  },
  sluice_scorer_prediction_log_pending_rows: {
    type: 'gauge',
    labels: [],
    help: 'Predictions in memory that are not written yet.',
    aggregator: 'sum',
  },
  sluice_scorer_prediction_log_written_rows_total: {
    type: 'counter',
    labels: [],
    help: 'Predictions written to MongoDB.',
    aggregator: 'sum',
  },
  sluice_scorer_prediction_log_dropped_rows_total: {
    type: 'counter',
    labels: [],
    help: 'Predictions dropped: for want of room, refused by the database, or left over at a shutdown.',
    aggregator: 'sum',
  },
  sluice_scorer_prediction_log_failed_batches_total: {
    type: 'counter',
    labels: [],
    help: 'Attempts that did not write their batch; each was or will be repeated.',
    aggregator: 'sum',
  },
} as const satisfies Readonly<Record<string, ScorerMetricFacts>>;
export type ScorerMetricName = keyof typeof SCORER_METRICS;
