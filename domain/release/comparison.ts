import { HEADLINE_METRICS } from './headlines.js';
import type { CheckResult, Metrics } from './types.js';

const CHAMPION = 'champion ';

/** A figure for people, to four significant digits: `0.8123`, `12350`; null → `not measured` */
export function fourDigits(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return 'not measured';
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}

function difference(ours: number | null | undefined, theirs: number | null | undefined): string {
  if (typeof ours !== 'number' || typeof theirs !== 'number') return '–';
  // Rounding alone makes no difference: what is shown is that of the figures, not of their first four digits.
  const value = ours - theirs;
  return value === 0 ? '0' : `${value > 0 ? '+' : '−'}${fourDigits(Math.abs(value))}`;
}

/**
 * Candidate and champion side by side, titles first: every headline figure and every gated one, the difference, what the gates and the
 * comparison with the champion require, and whether that holds. The Temporal UI and notifications show the same.
 * @param champion null: nothing is live
 */
export function comparisonTable(
  candidate: Metrics,
  champion: { metrics: Metrics } | null,
  gates: readonly CheckResult[],
): string[][] {
  const gated = gates.map(({ name }) => metricOf(name));
  const shown = [...new Set([...gated, ...HEADLINE_METRICS.filter((name) => typeof candidate[name] === 'number')])];
  return [
    ['figure', 'candidate', 'champion', 'difference', 'required', 'passed'],
    ...shown.map((metric) => {
      const [ours, theirs] = [candidate[metric], champion?.metrics[metric]];
      const own = gates.filter(({ name }) => metricOf(name) === metric);
      return [
        metric,
        fourDigits(ours),
        champion === null ? '–' : fourDigits(theirs),
        champion === null ? '–' : difference(ours, theirs),
        own
          .map(({ name, required }) => (name.startsWith(CHAMPION) ? `${required} (by the champion)` : required))
          .join(', '),
        own.length === 0 ? '' : own.every(({ passed }) => passed) ? 'yes' : 'NO',
      ];
    }),
  ];
}

function metricOf(gate: string): string {
  return gate.startsWith(CHAMPION) ? gate.slice(CHAMPION.length) : gate;
}
