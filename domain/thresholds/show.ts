import type { Estimate, ThresholdFigures, ThresholdGroup } from '../../schemas/types.js';
import type { ThresholdSummary } from './summary.js';

/** Tables of a proposal for people, titles first: the Temporal UI and the command line show the same. */
type Table = string[][];

const ARROW = ' → ';

/** 0.8123 → `0.812`; null → `–` */
export function ratio(value: number | null): string {
  return value === null ? '–' : value.toFixed(3);
}

export function threshold(value: number | null): string {
  return value === null ? '–' : String(Number(value.toFixed(4)));
}

function amount(value: number | null): string {
  return value === null ? '–' : value.toFixed(Math.abs(value) < 100 ? 2 : 0);
}

function within({ value, low, high }: Estimate, format: (value: number | null) => string): string {
  return low === null || high === null ? format(value) : `${format(value)} (${format(low)} to ${format(high)})`;
}

/** The change as a whole, every figure with its interval. */
export function overallLines({ overall, costs: { currency } }: ThresholdSummary): Table {
  const rows: [string, (one: ThresholdGroup['old']) => string][] = [
    ['precision', (one) => within(one.precision, ratio)],
    ['recall', (one) => within(one.recall, ratio)],
    ['F1', (one) => within(one.f1, ratio)],
    ['alerts a day', (one) => within(one.alerts_per_day, amount)],
    [`saved a day (${currency}, against no model)`, (one) => within(one.saved_per_day, amount)],
    [`lost to missed frauds a day (${currency})`, (one) => within(one.missed_per_day, amount)],
  ];
  return [
    ['overall', 'old', 'new'],
    ['threshold', threshold(overall.threshold.old), threshold(overall.threshold.new)],
    ...rows.map(([name, show]) => [name, show(overall.old), show(overall.new)]),
    [`gain a day (${currency}, against the old ones)`, '', within(overall.gain_per_day, amount)],
    ...Object.entries(overall.precision_at).map(([name, value]) => [
      `precision at ${name}`,
      ratio(value),
      ratio(value),
    ]),
  ];
}

/** Old → new per category, the largest gain or loss first. */
export function categoryLines({ categories, costs: { currency } }: ThresholdSummary): Table {
  const change = (one: ThresholdGroup, name: 'precision' | 'recall' | 'alerts_per_day', show: typeof ratio): string =>
    `${show(one.old[name].value)}${ARROW}${show(one.new[name].value)}`;
  return [
    ['category', 'threshold', 'precision', 'recall', 'alerts a day', `gain a day (${currency})`, 'rows (frauds)'],
    ...categories.map((one) => [
      one.category ?? '',
      `${threshold(one.threshold.old)}${ARROW}${threshold(one.threshold.new)}${one.own.new ? '' : ' (overall)'}`,
      change(one, 'precision', ratio),
      change(one, 'recall', ratio),
      change(one, 'alerts_per_day', amount),
      within(one.gain_per_day, amount),
      `${one.rows} (${one.frauds})`,
    ]),
  ];
}

/** What spends each alert budget. */
export function budgetLines({ budgets }: ThresholdSummary): Table {
  const cells = (one: { threshold: number; figures: ThresholdFigures } | null): string =>
    one === null
      ? '–'
      : `${threshold(one.threshold)}: ${amount(one.figures.alerts_per_day)} a day, precision ${ratio(one.figures.precision)}, recall ${ratio(one.figures.recall)}`;
  return [['alert budget', 'old', 'new'], ...budgets.map((one) => [one.name, cells(one.old), cells(one.new)])];
}

/** The backtest, week by week. */
export function weekLines({ backtest, costs: { currency } }: ThresholdSummary): Table {
  const cells = (one: ThresholdFigures | null): string =>
    one === null
      ? 'too few rows before'
      : `${amount(one.saved_per_day)}, ${amount(one.alerts_per_day)}, ${ratio(one.precision)}, ${ratio(one.recall)}`;
  const what = `${currency} saved a day, alerts a day, precision, recall`;
  return [
    ['week from', 'rows (frauds)', `old: ${what}`, 'new', 'walk forward'],
    ...backtest.weeks.map((week) => [
      week.from.slice(0, 10),
      `${week.rows} (${week.frauds})`,
      cells(week.old),
      cells(week.new),
      cells(week.walk_forward),
    ]),
  ];
}
