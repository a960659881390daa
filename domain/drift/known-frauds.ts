import type { DriftReport, ReferenceDays } from '../../schemas/types.js';
import { DAY_MS } from './calendar.js';
import { percent, power } from './judge.js';
import type { ReferenceCalendar } from './reference/blocks.js';
import { usualShare } from './reference/share-history.js';
import { regularisedBeta } from './statistics/special.js';
import type { DriftPolicy, DriftWindow } from './types.js';

type KnownFrauds = NonNullable<DriftReport['known_frauds']>;
type Scope = KnownFrauds['scopes'][number];

/** The whole window says most; its last days say it sooner. */
const LAST_DAYS = 3;
/** Fewer say nothing. */
const MIN_FRAUDS = 10;

/**
 * Frauds that are known already, long before all labels of their days are final, against the held-out frauds that the model was released with: one
 * that the model does not see scores among their lowest. Nothing is said of what is not known yet, so this can find only that frauds are missed.
 */
export function measureKnownFrauds(
  window: Pick<DriftWindow, 'knownFrauds' | 'from' | 'to'>,
  reference: ReferenceDays | null,
  calendar: ReferenceCalendar | null,
): Scope[] {
  const { knownFrauds, from, to } = window;
  if (knownFrauds === null || reference === null || calendar === null) return [];
  const length = Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
  const scopes = length > LAST_DAYS ? [length, LAST_DAYS] : [length];
  return scopes.map((days): Scope => {
    const since = Date.parse(to) - days * DAY_MS;
    const rows = Array.from(knownFrauds.calibrated, (_, row) => row).filter(
      (row) => (knownFrauds.bookedAtMs[row] ?? NaN) >= since,
    );
    const fact = (place: number) => calendar.days[place] ?? { frauds: 0, caught: 0 };
    const recall = usualShare(calendar, (place) => ({ hits: fact(place).caught, of: fact(place).frauds }), days);
    const tests = reference.fraud_scores.cuts.flatMap((cut, i) => {
      const countAt = (place: number) => reference.fraud_scores.counts[place]?.[i] ?? 0;
      const usual = usualShare(calendar, (place) => ({ hits: countAt(place), of: fact(place).frauds }), days);
      if (usual === null || rows.length === 0) return [];
      const lower = rows.filter((row) => (knownFrauds.calibrated[row] ?? NaN) < cut).length;
      // As many independent frauds as vary like these do.
      const spread = usual.spreadOf(rows.length);
      const [hits, of] = [lower / spread, rows.length / spread];
      return [{ lowest: lower / rows.length, usual: usual.share, p: atLeast(hits, of, usual.share) }];
    });
    const worst = tests.reduce<(typeof tests)[number] | null>((a, b) => (a === null || b.p < a.p ? b : a), null);
    return {
      days,
      n: rows.length,
      caught: rows.filter((row) => knownFrauds.alerts[row] === 1).length,
      reference_recall: recall?.share ?? null,
      lowest: worst?.lowest ?? null,
      reference_lowest: worst?.usual ?? null,
      p: worst === null || rows.length < MIN_FRAUDS ? null : Math.min(1, worst.p * tests.length),
      p_adjusted: null,
    };
  });
}

/** Drift is frauds that score lower than chance can make them, and by more than the policy lets a metric drop. */
export function judgeKnownFrauds(scopes: Scope[], policy: DriftPolicy): KnownFrauds {
  const drifted = scopes.filter(
    ({ p_adjusted, lowest, reference_lowest }) =>
      p_adjusted !== null &&
      p_adjusted <= policy.alpha &&
      (lowest ?? 0) - (reference_lowest ?? 0) > policy.performance.max_drop,
  );
  if (drifted.length > 0)
    return {
      verdict: 'drift',
      why: drifted.map(
        ({ days, n, caught, reference_recall, lowest, reference_lowest, p_adjusted }) =>
          `of ${n} frauds of the last ${days} days that are known already ${caught} were alerts (${percent(caught / n)}, ${percent(reference_recall ?? 0)} at release); ${percent(lowest ?? 0)} score as low as ${percent(reference_lowest ?? 0)} did (adjusted p ${power(p_adjusted ?? 1)})`,
      ),
      scopes,
    };
  if (scopes.every(({ p }) => p === null))
    return {
      verdict: 'inconclusive',
      why: [`fewer than ${MIN_FRAUDS} frauds of the window are known yet`],
      scopes,
    };
  return { verdict: 'ok', why: [], scopes };
}

/** P(X ≥ hits) for a binomial X; both numbers may be fractions. */
function atLeast(hits: number, of: number, share: number): number {
  return hits <= 0 ? 1 : regularisedBeta(share, hits, Math.max(1e-9, of - hits + 1));
}
