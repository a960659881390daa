import type { DataProfile, ModelSpec } from '../../schemas/types.js';
import type { CheckResult } from '../release/types.js';

type Checks = ModelSpec['data']['checks'];

const figure = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));

/**
 * The declared data checks as a table, a row each. What was not observed (no rows, no such field, NaN) fails: no data is never a pass.
 */
export function runDataChecks(profile: DataProfile, checks: Checks): CheckResult[] {
  const { rows } = profile;
  const fraction = (count: number | undefined): number | null =>
    count === undefined || rows === 0 ? null : count / rows;
  const results: CheckResult[] = [
    bounded('rows', rows, { min: checks.min_rows }),
    bounded('positive_rate', fraction(profile.positives), {
      min: checks.min_positive_rate,
      max: checks.max_positive_rate,
    }),
  ];
  // A part without positives, or with nothing else, can be neither learned from nor measured on.
  for (const [name, split] of Object.entries(profile.splits)) {
    results.push(bounded(`positives.${name}`, split.positives, { min: 1 }));
    results.push(bounded(`negatives.${name}`, split.rows - split.positives, { min: 1 }));
  }
  for (const [name, max] of Object.entries(checks.max_missing_fraction)) {
    const field = own(profile.fields, name);
    results.push(bounded(`missing.${name}`, fraction(field && field.missing + field.invalid), { max }));
  }
  for (const [name, range] of Object.entries(checks.ranges)) {
    const field = own(profile.fields, name);
    // The extreme that leaves the range is the one to show.
    const worst = range.min !== undefined && !((field?.min ?? NaN) >= range.min) ? field?.min : field?.max;
    results.push(bounded(`range.${name}`, worst ?? null, range));
  }
  for (const [name, allowed] of Object.entries(checks.allowed_values))
    results.push(allowedValues(`allowed.${name}`, own(profile.fields, name)?.values, allowed));
  for (const [name, max] of Object.entries(checks.max_unmapped_fraction)) {
    const accepted = rows - profile.refused.count;
    const unknown = own(profile.derived, name)?.unknown;
    const observed = unknown === undefined || accepted === 0 ? null : unknown / accepted;
    results.push(bounded(`unmapped.${name}`, observed, { max }, frequentNotice(profile, name)));
  }
  results.push(
    bounded(
      'refused',
      fraction(profile.refused.count),
      { max: checks.max_refused_fraction },
      mostFrequent(profile.refused.reasons),
    ),
    bounded(
      'duplicates',
      fraction(profile.duplicates.ids + profile.duplicates.contents),
      { max: checks.max_duplicate_fraction },
      duplicateRows(profile.duplicates),
    ),
    bounded('staleness_days', profile.freshness.staleness_days, { max: checks.max_staleness_days }),
    bounded('fixing_gap_days', profile.fixings.largest_gap_days, { max: checks.max_fixing_gap_days }),
  );
  return results;
}

/** @param hint follows the message of a failed check */
function bounded(
  name: string,
  value: number | null,
  { min, max }: { min?: number; max?: number },
  hint?: string,
): CheckResult {
  const required = [min === undefined ? '' : `≥ ${figure(min)}`, max === undefined ? '' : `≤ ${figure(max)}`]
    .filter(Boolean)
    .join(' and ');
  if (value === null || !Number.isFinite(value))
    return { name, passed: false, observed: null, required, message: `${name} was not observed` };
  const failed = (by: number, side: string, limit: number): CheckResult => ({
    name,
    passed: false,
    observed: value,
    required,
    message: `${name} is ${figure(value)}, ${figure(by)} ${side} ${figure(limit)}${hint === undefined ? '' : ` (${hint})`}`,
  });
  if (min !== undefined && value < min) return failed(min - value, 'below', min);
  if (max !== undefined && value > max) return failed(value - max, 'above', max);
  return { name, passed: true, observed: value, required, message: `${name} is ${figure(value)}` };
}

function allowedValues(
  name: string,
  values: Record<string, number> | null | undefined,
  allowed: readonly string[],
): CheckResult {
  const required = `one of ${allowed.join(', ')}`;
  if (values === null)
    return {
      name,
      passed: false,
      observed: null,
      required,
      message: `${name}: more different values than can be listed`,
    };
  if (values === undefined || Object.keys(values).length === 0)
    return { name, passed: false, observed: null, required, message: `${name} was not observed` };
  const others = Object.entries(values).filter(([value]) => !allowed.includes(value));
  const rows = others.reduce((sum, [, count]) => sum + count, 0);
  if (rows === 0) return { name, passed: true, observed: 0, required, message: `${name}: no other value` };
  const shown = others
    .slice(0, 5)
    .map(([value, count]) => `${JSON.stringify(value)} × ${count}`)
    .join(', ');
  return {
    name,
    passed: false,
    observed: rows,
    required,
    message: `${name}: ${rows === 1 ? '1 row holds another value' : `${rows} rows hold other values`}: ${shown}; mend the rows, or accept the values in data.checks.allowed_values of model.yaml`,
  };
}

const SHOWN_IDS = 5;

/** How many, which, and what to do: a share of all rows tells nobody what to look for. A profile of step 3 or before names none. */
function duplicateRows({ ids, contents, examples = [] }: DataProfile['duplicates']): string {
  const count = ids + contents;
  const rows = `${count} ${count === 1 ? 'row' : 'rows'}`;
  if (examples.length === 0) return rows;
  const further = count > SHOWN_IDS ? ` … and ${count - SHOWN_IDS} more` : '';
  return `${rows}: ${examples.slice(0, SHOWN_IDS).join(', ')}${further}; \`sluice data show ID\` names the row that each repeats, \`sluice data delete ID\` removes one`;
}

function mostFrequent(counts: Record<string, number>): string | undefined {
  const [first] = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return first === undefined ? undefined : `most often: ${first[0]}, ${first[1]} rows`;
}

function frequentNotice(profile: DataProfile, derived: string): string | undefined {
  return mostFrequent(
    Object.fromEntries(
      Object.entries(profile.notices).filter(([message]) => message.endsWith(`; ${derived} is unknown`)),
    ),
  );
}

function own<T>(record: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
