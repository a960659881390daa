import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataProfile, ModelSpec } from '../../schemas/types.js';
import type { CheckResult } from '../release/types.js';
import { runDataChecks } from './checks.js';
import { FingerprintSet } from './fingerprint-set.js';
import { ProfileBuilder } from './profile.js';

const DAY_MS = 86_400_000;
const checks: ModelSpec['data']['checks'] = {
  min_rows: 4,
  min_positive_rate: 0.1,
  max_positive_rate: 0.6,
  max_missing_fraction: { name: 0.25 },
  ranges: { sum: { min: 0, max: 100 } },
  allowed_values: { unit: ['USD', 'EUR'] },
  max_unmapped_fraction: { kind: 0.25 },
  max_refused_fraction: 0,
  max_duplicate_fraction: 0,
  max_staleness_days: 45,
  max_fixing_gap_days: 5,
};
const fixings = { count: 3, oldest: '2025-01-01', newest: '2025-01-06', largest_gap_days: 3 };
const asOf = '2025-02-01T00:00:00.000Z';
const start = Date.parse('2025-01-01T00:00:00Z');

function profileOf(rows: { raw?: object; label?: 0 | 1; kind?: string | null; refuse?: string }[]): DataProfile {
  const builder = new ProfileBuilder({
    request: new Map([
      ['id', 'string'],
      ['sum', 'number'],
      ['unit', 'string'],
      ['name', 'string'],
      ['at', 'time'],
    ]),
    idField: 'id',
    derived: [{ name: 'kind', type: 'string' }],
  });
  for (const [index, { raw, label, kind = 'a', refuse }] of rows.entries()) {
    const id = `r${index}`;
    const { at = new Date(start + index * 1000) } = (raw ?? {}) as { at?: Date };
    const known = label ?? (index % 2 === 0 ? 0 : 1);
    builder.observeSplit((['train', 'train', 'validation', 'validation', 'test', 'test'] as const)[index % 6]!, known);
    builder.observe({
      id,
      raw: { id, sum: 10, unit: 'USD', name: 'n', at, ...raw },
      label: known,
      eventTimeMs: at.getTime(),
      labelTimeMs: at.getTime() + DAY_MS,
    });
    if (refuse !== undefined) builder.refuse(id, '/sum', refuse);
    else {
      const notices = kind === null ? [{ path: '/kind', message: '"x" is not known; kind is unknown' }] : [];
      builder.accept({ kind }, notices);
    }
  }
  return builder.build({ asOf, fixings, features: {} });
}

const good = Array.from({ length: 6 }, () => ({}));
const failed = (results: CheckResult[]): Record<string, string> =>
  Object.fromEntries(results.filter(({ passed }) => !passed).map(({ name, message }) => [name, message]));

describe('runDataChecks', () => {
  it('passes data that is as declared', () => {
    const results = runDataChecks(profileOf(good), checks);
    expect(failed(results)).toEqual({});
    expect(results.map(({ name }) => name)).toEqual([
      'rows',
      'positive_rate',
      ...['train', 'validation', 'test'].flatMap((split) => [`positives.${split}`, `negatives.${split}`]),
      'missing.name',
      'range.sum',
      'allowed.unit',
      'unmapped.kind',
      'refused',
      'duplicates',
      'staleness_days',
      'fixing_gap_days',
    ]);
  });

  it.each<[string, Parameters<typeof profileOf>[0], Record<string, unknown>]>([
    ['too few rows', good.slice(0, 2), { rows: 'rows is 2, 2 below 4' }],
    [
      'too many positives',
      good.map(() => ({ label: 1 as const })),
      { positive_rate: 'positive_rate is 1, 0.4 above 0.6' },
    ],
    [
      'missing and wrongly typed values',
      [...good, { raw: { name: null } }, { raw: { name: '' } }, { raw: { name: 7 } }],
      { 'missing.name': 'missing.name is 0.3333, 0.08333 above 0.25' },
    ],
    ['a value below its range', [...good, { raw: { sum: -1 } }], { 'range.sum': 'range.sum is -1, 1 below 0' }],
    ['a value above its range', [...good, { raw: { sum: 101 } }], { 'range.sum': 'range.sum is 101, 1 above 100' }],
    [
      'a value that is not allowed',
      [...good, { raw: { unit: 'XXX' } }],
      {
        'allowed.unit':
          'allowed.unit: 1 row holds another value: "XXX" × 1; mend the rows, or accept the values in data.checks.allowed_values of model.yaml',
      },
    ],
    [
      'unknown spellings',
      [...good.slice(0, 4), { kind: null }, { kind: null }],
      {
        'unmapped.kind':
          'unmapped.kind is 0.3333, 0.08333 above 0.25 (most often: /kind "x" is not known; kind is unknown, 2 rows)',
      },
    ],
    [
      'refused rows',
      [...good, { refuse: 'is odd' }],
      { refused: 'refused is 0.1429, 0.1429 above 0 (most often: /sum is odd, 1 rows)' },
    ],
  ])('says which check failed and by how much: %s', (_, rows, expected) => {
    expect(failed(runDataChecks(profileOf(rows), checks))).toMatchObject(expected);
  });

  it('finds rows that differ in their id only', () => {
    const twin = { raw: { at: new Date(start), sum: 10 } };
    expect(failed(runDataChecks(profileOf([{}, twin, twin, ...good.slice(1)]), checks))['duplicates']).toBe(
      'duplicates is 0.25, 0.25 above 0 (2 rows: r1, r2; `sluice data show ID` names the row that each repeats, `sluice data delete ID` removes one)',
    );
  });

  it('fails data that is too old, and rates with a hole', () => {
    const profile = { ...profileOf(good), fixings: { ...fixings, largest_gap_days: 9 } };
    profile.freshness.staleness_days = 60;
    expect(failed(runDataChecks(profile, checks))).toEqual({
      staleness_days: 'staleness_days is 60, 15 above 45',
      fixing_gap_days: 'fixing_gap_days is 9, 4 above 5',
    });
  });

  it('never passes what was not observed', () => {
    const results = runDataChecks(profileOf([]), { ...checks, min_rows: 0 });
    const passed = results.filter((result) => result.passed).map(({ name }) => name);
    // zero rows are at least zero, and the rates were observed without any row
    expect(passed).toEqual(['rows', 'fixing_gap_days']);
    for (const { observed, message } of results.filter(({ name }) => /missing|range|unmapped|refused|stale/.test(name)))
      expect({ observed, message }).toEqual({
        observed: null,
        message: expect.stringContaining('was not observed') as string,
      });
  });

  it('fails a check on a field that the profile does not have', () => {
    const odd = {
      ...checks,
      max_missing_fraction: { toString: 1 },
      ranges: { ghost: {} },
      allowed_values: { ghost: ['x'] },
      max_unmapped_fraction: { ghost: 1 },
    };
    expect(Object.keys(failed(runDataChecks(profileOf(good), odd)))).toEqual([
      'missing.toString',
      'range.ghost',
      'allowed.ghost',
      'unmapped.ghost',
    ]);
  });
});

describe('ProfileBuilder', () => {
  it('gives counts, ranges, few values and freshness', () => {
    const profile = profileOf([...good, { raw: { sum: NaN } }, { raw: { sum: '5', name: null } }]);
    expect(profile.rows).toBe(8);
    expect(profile.positives).toBe(4);
    expect(profile.fields['sum']).toEqual({ missing: 1, invalid: 1, min: 10, max: 10, values: null });
    expect(profile.fields['unit']?.values).toEqual({ USD: 8 });
    expect(profile.derived['kind']).toEqual({ unknown: 0, values: { a: 8 } });
    expect(profile.freshness).toEqual({
      as_of: asOf,
      oldest: '2025-01-01T00:00:00.000Z',
      newest: '2025-01-01T00:00:07.000Z',
      newest_label: '2025-01-02T00:00:07.000Z',
      staleness_days: (Date.parse(asOf) - start - 7000) / DAY_MS,
    });
  });

  it('does not list the values of a field that has many', () => {
    const profile = profileOf(Array.from({ length: 300 }, (_, index) => ({ raw: { name: `n${index}` } })));
    expect(profile.fields['name']?.values).toBeNull();
  });
});

describe('FingerprintSet', () => {
  it('knows what it was given, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 3_000 }), (texts) => {
        const set = new FingerprintSet();
        const known = new Set<string>();
        for (const text of texts) {
          expect(set.add(text)).toBe(!known.has(text));
          known.add(text);
        }
        expect(set.size).toBe(known.size);
      }),
      { numRuns: 20 },
    );
  });

  it('tells half a million similar texts apart', () => {
    const set = new FingerprintSet();
    for (let index = 0; index < 500_000; index++) set.add(`t${String(index).padStart(7, '0')}`);
    expect(set.size).toBe(500_000);
  });
});
