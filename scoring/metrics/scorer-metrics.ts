import { SCORING_BUCKETS } from './catalogue.js';
import { BucketCounts, NamedCounts, RequestCounts } from './counts.js';
import { ScorerRegistry, type Series } from './registry.js';

/** Groups of routes: a path may hold ids, a group does not. */
export const ROUTES = ['score', 'feedback', 'admin', 'state', 'inference', 'other'] as const;
export type RouteGroup = (typeof ROUTES)[number];

const ARMS = ['champion', 'candidate'] as const;
export type Arm = (typeof ARMS)[number];

const ENGINES = ['kernel', 'onnxruntime'] as const;
export type Engine = (typeof ENGINES)[number];

/** `current`: what should be live already is; `failed`: the former bundle serves on. */
export const RELOAD_OUTCOMES = ['loaded', 'current', 'failed'] as const;
export type ReloadOutcome = (typeof RELOAD_OUTCOMES)[number];

/** A bundle that is served. */
export interface ServedBundle {
  model: string;
  modelVersion: string;
  bundleVersion: string;
  /** when it was made, ms since 1970 */
  createdAtMs: number;
  /** null for a model without exchange rates */
  fxAgeDays: number | null;
  engine: Engine;
}

/** What is true now; asked for whenever the metrics are. */
export interface ScorerState {
  /** null without a pointer */
  generation: number | null;
  /** null: none */
  champion: ServedBundle | null;
  candidate: ServedBundle | null;
  queuedRows: number;
  /** since the start; null when it is off */
  predictionLog: { pending: number; written: number; dropped: number; failed_batches: number } | null;
}

/** Counts alerts by the thresholds of one bundle; to be told of those that a threshold decided, not a rule. */
export interface ThresholdHits {
  /** @param segment the transaction's category; one without a threshold of its own is under the common one, as null is */
  hit(segment: string | null): void;
}

/**
 * What a scorer counts. Everything on a request's way is a few additions into typed arrays; the rest happens when somebody asks. Counters run
 * from the process's start, through every reload.
 */
export interface ScorerMetrics {
  /** A request was answered, whatever the answer. */
  request(route: RouteGroup, status: number): void;
  /**
   * A request was scored.
   * @param seconds from the request to its scores
   * @param rows its transactions, `alerts` of them alerts
   */
  scored(seconds: number, rows: number, alerts: number, arm?: Arm): void;
  /**
   * Announces a bundle's thresholds; to be called when it is opened. The same name in another bundle is the same counter.
   * @param categories those with a threshold of their own
   */
  thresholds(categories: readonly string[]): ThresholdHits;
  reload(outcome: ReloadOutcome, seconds: number): void;
  /** of `text` */
  readonly contentType: string;
  /** In Prometheus's text format. */
  text(): Promise<string>;
  /** Plain objects, for `AggregatorRegistry.aggregate` in the process that controls several. */
  json(): Promise<object[]>;
}

/** of all bundles together; further ones are counted as `other` */
const MAX_THRESHOLDS = 64;
/** for transactions whose category has none of its own */
const COMMON_THRESHOLD = 'operating';

/**
 * @param state read when the metrics are asked for
 * @param ofProcess whether prom-client's own metrics of the process are exported as well; in tests they are not
 */
export function createScorerMetrics(
  state: () => ScorerState,
  { ofProcess = true }: { ofProcess?: boolean } = {},
): ScorerMetrics {
  const registry = new ScorerRegistry(ofProcess);
  const requests = new RequestCounts(ROUTES);
  const single = new BucketCounts(SCORING_BUCKETS);
  const list = new BucketCounts(SCORING_BUCKETS);
  const rows = { champion: 0, candidate: 0 };
  const alerts = { champion: 0, candidate: 0 };
  const hits = new NamedCounts(MAX_THRESHOLDS);
  const common = hits.slotOf(COMMON_THRESHOLD);

  registry.countedHistogram('sluice_scorer_scoring_seconds', () => [
    [{ request: 'single' }, single],
    [{ request: 'list' }, list],
  ]);
  registry.counter('sluice_scorer_requests_total', () =>
    requests.entries().map(({ route, status, count }): Series => [{ route, status }, count]),
  );
  registry.counter('sluice_scorer_rows_total', () => ARMS.map((arm): Series => [{ arm }, rows[arm]]));
  registry.counter('sluice_scorer_alerts_total', () => ARMS.map((arm): Series => [{ arm }, alerts[arm]]));
  registry.counter('sluice_scorer_threshold_hits_total', () =>
    hits.entries().map(({ name, count }): Series => [{ threshold: name }, count]),
  );
  const reloads = registry.histogram('sluice_scorer_reload_seconds');
  for (const outcome of RELOAD_OUTCOMES) reloads.zero({ outcome });
  exportState(registry, state);

  return {
    request: (route, status) => requests.add(route, status),
    scored(seconds, rowsScored, alertsOfThem, arm = 'champion') {
      (rowsScored === 1 ? single : list).observe(seconds);
      rows[arm] += rowsScored;
      alerts[arm] += alertsOfThem;
    },
    thresholds(categories) {
      const slots = new Map(categories.map((category) => [category, hits.slotOf(category)]));
      return { hit: (segment) => hits.add((segment === null ? undefined : slots.get(segment)) ?? common) };
    },
    reload: (outcome, seconds) => reloads.observe({ outcome }, seconds),
    contentType: registry.contentType,
    text: () => registry.text(),
    json: () => registry.json(),
  };
}

function exportState(registry: ScorerRegistry, state: () => ScorerState): void {
  const known = (value: number | null | undefined): Series[] =>
    value === null || value === undefined ? [] : [[{}, value]];
  const ofBundles = (series: (bundle: ServedBundle, arm: Arm) => Series[]) => (): Series[] => {
    const now = state();
    return ARMS.flatMap((arm) => (now[arm] === null ? [] : series(now[arm], arm)));
  };
  registry.gauge('sluice_scorer_queued_rows', () => known(state().queuedRows));
  registry.gauge('sluice_scorer_generation', () => known(state().generation));
  registry.gauge(
    'sluice_scorer_bundle_info',
    ofBundles(({ model, modelVersion, bundleVersion }, arm) => [
      [{ arm, model, model_version: modelVersion, bundle_version: bundleVersion }, 1],
    ]),
  );
  registry.gauge(
    'sluice_scorer_bundle_age_seconds',
    ofBundles(({ createdAtMs }, arm) => [[{ arm }, (Date.now() - createdAtMs) / 1000]]),
  );
  registry.gauge(
    'sluice_scorer_fx_age_days',
    ofBundles(({ fxAgeDays }, arm) => (fxAgeDays === null ? [] : [[{ arm }, fxAgeDays]])),
  );
  registry.gauge(
    'sluice_scorer_engine',
    ofBundles((bundle, arm) => ENGINES.map((engine) => [{ arm, engine }, engine === bundle.engine ? 1 : 0])),
  );
  const ofLog = (field: keyof NonNullable<ScorerState['predictionLog']>) => (): Series[] =>
    known(state().predictionLog?.[field]);
  registry.gauge('sluice_scorer_prediction_log_pending_rows', ofLog('pending'));
  registry.counter('sluice_scorer_prediction_log_written_rows_total', ofLog('written'));
  registry.counter('sluice_scorer_prediction_log_dropped_rows_total', ofLog('dropped'));
  registry.counter('sluice_scorer_prediction_log_failed_batches_total', ofLog('failed_batches'));
}
