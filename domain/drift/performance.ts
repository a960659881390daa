import type { DriftReport } from '../../schemas/types.js';
import { dayOf } from './calendar.js';
import { fixed } from './judge.js';
import type { ReferenceCalendar } from './reference/blocks.js';
import { usualShare, type UsualShare } from './reference/share-history.js';
import { chiSquaredQuantile } from './statistics/special.js';
import type { DriftPolicy, MaturedRows } from './types.js';

type Performance = DriftReport['performance'];
type Metric = Performance['metrics'][number];

const METRICS = ['precision', 'recall', 'auc_pr'] as const;

/**
 * How the model did on rows whose labels are known, against its figures at release. A metric has drifted when it lies below by more than the policy
 * allows and by more than its interval; one that only looks worse is a warning. The interval is that of the difference: frauds come in bursts, on
 * both sides, and only the reference's own days tell how much wider that makes it. Without them nothing is worse than a warning.
 * @param reference the manifest's figures; precision and AUPRC are restated for the window's fraud rate where that is lower
 */
export function comparePerformance(
  matured: MaturedRows | null,
  reference: Readonly<Record<string, number | null>>,
  calendar: ReferenceCalendar | null,
  policy: DriftPolicy,
): Performance {
  if (matured === null || matured.labels.length === 0)
    return {
      verdict: 'inconclusive',
      why: ['no labels have matured'],
      from: matured?.from ?? null,
      to: matured?.to ?? null,
      rows: 0,
      frauds: 0,
      alerts: 0,
      metrics: [],
    };
  const { labels, alerts, calibrated, from, to } = matured;
  const [frauds, alerted] = [countOnes(labels), countOnes(alerts)];
  let caught = 0;
  for (let row = 0; row < labels.length; row++) if (labels[row] === 1 && alerts[row] === 1) caught++;
  const z = Math.sqrt(chiSquaredQuantile(policy.alpha / METRICS.length, 1));
  const days = Math.max(1, new Set(Array.from(matured.bookedAtMs, dayOf)).size);
  const usual = (of: 'frauds' | 'alerts'): UsualShare | null =>
    calendar === null
      ? null
      : usualShare(
          calendar,
          (place) => ({ hits: calendar.days[place]?.caught ?? 0, of: calendar.days[place]?.[of] ?? 0 }),
          days,
        );
  const [ofFrauds, ofAlerts] = [usual('frauds'), usual('alerts')];
  const recall = { hits: caught, of: frauds, usual: ofFrauds };
  const interval = {
    precision: wilson({ hits: caught, of: alerted, usual: ofAlerts }, z),
    recall: wilson(recall, z),
    auc_pr: logitInterval(averagePrecision(calibrated, labels), independent(recall), z),
  };
  const rarer = rarity(calendar, frauds / labels.length);
  const metrics = METRICS.map((name): Metric => {
    const at = reference[name] ?? null;
    return { name, ...interval[name], reference: at === null || name === 'recall' ? at : withOdds(at, rarer) };
  });
  const facts = { from, to, rows: labels.length, frauds, alerts: alerted, metrics };
  const { min_frauds, max_drop } = policy.performance;
  if (frauds < min_frauds)
    return { verdict: 'inconclusive', why: [`${frauds} frauds, of ${min_frauds} that a verdict needs`], ...facts };
  const lower = metrics.filter((metric) => below(metric) > max_drop);
  const worse = ofFrauds === null ? [] : lower.filter(isWorse);
  const shown = worse.length > 0 ? worse : lower;
  return {
    verdict: worse.length > 0 ? 'drift' : lower.length > 0 ? 'warn' : 'ok',
    why: shown.map(
      ({ name, value, low, high, reference: at }) =>
        `${name} ${fixed(value ?? NaN)} (${fixed(low ?? NaN)} to ${fixed(high ?? NaN)}), ${fixed(at ?? NaN)} at release`,
    ),
    ...facts,
  };
}

/** Metrics of matured labels that lie below the release's by more than their interval and the policy's drop. */
export function worseMetrics({ verdict, metrics }: Performance, { performance }: DriftPolicy): string[] {
  if (verdict !== 'drift') return [];
  return metrics.filter((metric) => below(metric) > performance.max_drop && isWorse(metric)).map(({ name }) => name);
}

function below({ value, reference }: Metric): number {
  return value === null || reference === null ? 0 : reference - value;
}

function isWorse({ high, reference }: Metric): boolean {
  return high !== null && reference !== null && high < reference;
}

/** Average precision: Σ (recall gained at a threshold) × (precision there), rows with one score as one step, as scikit-learn's. Null without frauds. */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const frauds = countOnes(labels);
  if (frauds === 0) return null;
  const order = Array.from({ length: labels.length }, (_, row) => row).sort(
    (a, b) => (scores[b] ?? NaN) - (scores[a] ?? NaN),
  );
  let [caught, sum] = [0, 0];
  for (let start = 0; start < order.length;) {
    const score = scores[order[start] ?? -1];
    let end = start;
    let gained = 0;
    for (; end < order.length && scores[order[end] ?? -1] === score; end++) gained += labels[order[end] ?? -1] ?? 0;
    caught += gained;
    sum += (gained / frauds) * (caught / end);
    start = end;
  }
  return sum;
}

/**
 * Odds of fraud in the window over those of the held-out days, at most 1. The rarer fraud is, the more of the alerts are false although the model sees
 * as well as ever: precision's odds fall by the same factor, and with it, nearly, what is averaged over precisions.
 */
function rarity(calendar: ReferenceCalendar | null, rate: number): number {
  if (calendar === null) return 1;
  const sum = (of: 'frauds' | 'rows'): number =>
    calendar.heldOut.reduce((total, place) => total + (calendar.days[place]?.[of] ?? 0), 0);
  const usual = sum('frauds') / sum('rows');
  const odds = (share: number): number => share / (1 - share);
  return usual > 0 && usual < 1 && rate < 1 ? Math.min(1, odds(rate) / odds(usual)) : 1;
}

function withOdds(share: number, factor: number): number {
  return (share * factor) / (share * factor + 1 - share);
}

interface Counted {
  hits: number;
  of: number;
  usual: UsualShare | null;
}

/** How many independent draws a share of the window is worth in a difference from the reference's, which is none of a whole world either. */
function independent({ of, usual }: Counted): number {
  return usual === null || of === 0 ? of : 1 / (usual.spreadOf(of) / of + usual.spreadOf(usual.of) / usual.of);
}

/** A share with its interval by Wilson's score (1927), which holds for few rows and for shares near 0 and 1. */
function wilson(counted: Counted, z: number): Pick<Metric, 'value' | 'low' | 'high'> {
  if (counted.of === 0) return { value: null, low: null, high: null };
  const value = counted.hits / counted.of;
  const rows = independent(counted);
  const scale = 1 + z ** 2 / rows;
  const middle = (value + z ** 2 / (2 * rows)) / scale;
  const half = (z / scale) * Math.sqrt((value * (1 - value)) / rows + z ** 2 / (4 * rows ** 2));
  // At 0 and at 1 the interval ends there, which rounding must not deny.
  return { value, low: Math.min(value, Math.max(0, middle - half)), high: Math.max(value, Math.min(1, middle + half)) };
}

/** An interval for the area under the precision-recall curve on the scale of its log odds (Boyd, Eng and Page 2013, "logit interval"). */
function logitInterval(value: number | null, positives: number, z: number): Pick<Metric, 'value' | 'low' | 'high'> {
  if (value === null) return { value, low: null, high: null };
  if (value <= 0 || value >= 1) return { value, low: 0, high: 1 };
  const half = z / Math.sqrt(positives * value * (1 - value));
  const odds = Math.log(value / (1 - value));
  const share = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));
  return { value, low: share(odds - half), high: share(odds + half) };
}

function countOnes(flags: ArrayLike<number>): number {
  let count = 0;
  for (let row = 0; row < flags.length; row++) if (flags[row] === 1) count++;
  return count;
}
