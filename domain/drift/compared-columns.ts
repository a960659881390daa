import type { ReferenceDays } from '../../schemas/types.js';
import type { ComparedColumn, NumericReference, ReferenceColumn } from './measure.js';
import type { ReferenceCalendar } from './reference/blocks.js';
import { countByDay, type CountedColumn } from './reference/counted.js';
import { ColumnHistory } from './reference/history.js';
import type { DriftPolicy, DriftReference, DriftWindow } from './types.js';
import type { WindowDays } from './window-days.js';

/** The columns of a window beside those of the reference: features, fields of the request, and last the score. */
export function comparedColumns(
  { profile, days, earlier }: DriftReference,
  calendar: ReferenceCalendar | null,
  window: DriftWindow,
  windowDays: WindowDays,
  policy: DriftPolicy,
): ComparedColumn[] {
  const bundles = bundleOfDays(window, windowDays);
  const nothing = new Float64Array(window.bookedAtMs.length).fill(NaN);
  const withHistory = (
    source: CountedColumn['source'],
    reference: ReferenceColumn,
    values: ArrayLike<number>,
    counted: ArrayLike<number> | readonly (string | null)[] = values,
    nameOf?: (value: number) => string,
  ): ComparedColumn => {
    const column = days?.columns.find((one) => one.source === source && one.name === reference.name);
    const about = { reference, values, ...(nameOf === undefined ? {} : { nameOf }) };
    if (column === undefined || calendar === null) return { ...about, history: null, days: [] };
    // A model's scores on rows that it was fitted on are not what it will give others; how much they differ from day to day is.
    const [expecting, strata] =
      source === 'score' ? [calendar.heldOut, [calendar.heldOut, calendar.fitted]] : [calendar.all, [calendar.all]];
    const counts = countByDay(column, counted, windowDays.days.length, (row) => windowDays.placeOf[row] ?? -1);
    return {
      ...about,
      history: new ColumnHistory(calendar, column, expecting, strata, policy.psi),
      days: counts.map((count, place) => ({
        ...count,
        day: windowDays.days[place] ?? NaN,
        column: sameBins(column, earlier[bundles[place] ?? '']) ?? column,
      })),
    };
  };
  return [
    ...profile.features.map((reference) =>
      withHistory('feature', reference, window.features[reference.name] ?? nothing),
    ),
    ...(days?.columns ?? [])
      .filter(({ source, name }) => source === 'input' && window.inputs[name] !== undefined)
      .map((column) => {
        const { reference, values, nameOf } = coded(column, days?.days ?? [], window.inputs[column.name] ?? []);
        return withHistory('input', reference, values, window.inputs[column.name] ?? [], nameOf);
      }),
    withHistory('score', scoreColumn(profile.score), window.calibrated),
  ];
}

/** The bundle that answered most of a day's rows: a refresh in the small hours leaves little of the day to the one before it. */
export function bundleOfDays({ bundles }: Pick<DriftWindow, 'bundles'>, { days, placeOf }: WindowDays): string[] {
  const counts = days.map(() => new Map<string, number>());
  bundles.forEach((bundle, row) => {
    const count = counts[placeOf[row] ?? -1];
    count?.set(bundle, (count.get(bundle) ?? 0) + 1);
  });
  return counts.map((count) => [...count].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0])[0]);
}

/** A column as another bundle's days have it, if they are counted in the same bins. */
function sameBins(column: CountedColumn, other: ReferenceDays | undefined): CountedColumn | undefined {
  const theirs = other?.columns.find(({ source, name }) => source === column.source && name === column.name);
  const alike = (a: readonly unknown[], b: readonly unknown[]): boolean =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  return theirs !== undefined && alike(theirs.cuts, column.cuts) && alike(theirs.values, column.values)
    ? theirs
    : undefined;
}

/** The calibrated probability as a column like the features. */
function scoreColumn({ count, quantiles }: DriftReference['profile']['score']): NumericReference {
  const about = { name: 'score', kind: 'numeric', missing_value: null, period_hours: null } as const;
  return { ...about, count, missing_fraction: 0, mean: null, std: null, quantiles };
}

/** Texts as numbers: the places of the reference's, then those that it never had in the order in which they come. */
function coded(
  { name, values, counts, missing }: CountedColumn,
  days: ReferenceDays['days'],
  texts: readonly (string | null)[],
): { reference: ReferenceColumn; values: Float64Array; nameOf: (value: number) => string } {
  const names = values.map(String);
  const codes = new Map(names.map((text, code) => [text, code]));
  const codeOf = (text: string): number => {
    const known = codes.get(text);
    if (known !== undefined) return known;
    codes.set(text, names.length);
    return names.push(text) - 1;
  };
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  const absent = missing.reduce((sum, count) => sum + count, 0);
  const categories = values.map((_, bin) => ({
    value: bin,
    count: counts.reduce((sum, day) => sum + (day[bin] ?? 0), 0),
  }));
  return {
    reference: {
      name,
      kind: 'categorical',
      missing_value: null,
      period_hours: null,
      count: rows - absent,
      missing_fraction: rows === 0 ? 0 : absent / rows,
      categories,
    },
    values: Float64Array.from(texts, (text) => (text === null ? NaN : codeOf(text))),
    nameOf: (value) => names[value] ?? String(value),
  };
}
