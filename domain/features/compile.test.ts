import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeatureRegistry } from '../../schemas/types.js';
import { compileFeatures } from './compile.js';
import { FeatureRefusal } from './refusal.js';

// Names that no model of ours has: the engine knows none.
const declared = { owner: 'o', logic: 'l', sources: ['sum'], event_time: 'at', window: null, delay: null, unit: 'u' };
const registry: FeatureRegistry = {
  registry_version: 1,
  model: 'm',
  derived: [
    { name: 'shop', logic: 'l', op: { kind: 'normalise', input: 'shop_name' }, null_policy: { on_null: 'keep' } },
    {
      name: 'kind',
      logic: 'l',
      op: { kind: 'canonical', input: 'kind_name', lookup: 'kinds' },
      null_policy: { on_null: 'keep' },
    },
    {
      name: 'worth',
      logic: 'l',
      op: { kind: 'convert', amount: 'sum', currency: 'unit', at: 'at', lookup: 'rates', before_oldest: 'oldest' },
      null_policy: { on_null: 'refuse' },
    },
  ],
  features: [
    { ...declared, name: 'worth', null_policy: { on_null: 'refuse' }, op: { kind: 'value', input: 'worth' } },
    { ...declared, name: 'log', null_policy: { on_null: 'impute', value: -9 }, op: { kind: 'log1p', input: 'worth' } },
    {
      ...declared,
      name: 'z',
      null_policy: { on_null: 'refuse' },
      op: { kind: 'robust_z', value: 'worth', group: 'kind', lookup: 'stats' },
    },
    {
      ...declared,
      name: 'ratio',
      null_policy: { on_null: 'refuse' },
      op: { kind: 'ratio_to_cap', value: 'worth', group: 'kind', lookup: 'stats' },
    },
    {
      ...declared,
      name: 'often',
      null_policy: { on_null: 'impute', value: -2 },
      op: { kind: 'frequency', key: 'shop', lookup: 'shops' },
    },
    { ...declared, name: 'hour', null_policy: { on_null: 'refuse' }, op: { kind: 'hour_of_day', at: 'at' } },
    { ...declared, name: 'day', null_policy: { on_null: 'refuse' }, op: { kind: 'day_of_week', at: 'at' } },
    {
      ...declared,
      name: 'kind',
      null_policy: { on_null: 'impute', value: -1 },
      op: { kind: 'index_of', input: 'kind', values: ['a', 'b'] },
    },
  ],
};
const lookups = {
  kinds: { canonical: ['a', 'b', 'c'], synonyms: { 'an a': 'a' } },
  rates: {
    base_currency: 'USD',
    last_updated: '2025-06-28T00:00:00Z',
    fixing_date: '2025-06-27',
    exchange_rates: { USD: 1, EUR: 1.25 },
    trailing: [{ date: '2025-06-26', exchange_rates: { USD: 1, EUR: 1.5, XAU: 1e300 } }],
  },
  shops: { total: 10, floor: 0.01, frequencies: { 'kihn inc': 0.2 } },
  stats: {
    unit: 'USD',
    overall: { count: 9, median: 5, iqr: 2, p995: 10 },
    categories: { a: { count: 5, median: 10, iqr: 5, p995: 50 }, b: { count: 4, median: 1, iqr: 0, p995: 0 } },
  },
};
const row = { at: '2025-06-28T23:10:00Z', sum: 10, unit: 'EUR', kind_name: 'An  A', shop_name: 'KIHN inc' };
const computer = compileFeatures(registry, lookups);
const refusalOf = (raw: unknown): FeatureRefusal => {
  try {
    computer.compute(raw);
  } catch (error) {
    if (error instanceof FeatureRefusal) return error;
    throw error;
  }
  throw new Error('was not refused');
};

describe('compileFeatures', () => {
  it('computes the declared features in the declared order', () => {
    expect(computer.names).toEqual(['worth', 'log', 'z', 'ratio', 'often', 'hour', 'day', 'kind']);
    const { values, derived, notices } = computer.compute(row);
    expect([...values]).toEqual([12.5, Math.log1p(12.5), 0.5, 0.25, 0.2, 23, 5, 0].map(Math.fround));
    expect(derived).toEqual({ shop: 'kihn inc', kind: 'a', worth: 12.5 });
    expect(notices).toEqual([]);
  });

  it('writes into a given buffer and touches nothing else of it', () => {
    const buffer = new Float32Array(10).fill(7);
    computer.computeInto(row, buffer, 1);
    expect([buffer[0], buffer[9]]).toEqual([7, 7]);
    expect(buffer.subarray(1, 9)).toEqual(computer.compute(row).values);
  });

  it('takes a Date or epoch milliseconds like the text', () => {
    const at = new Date(row.at);
    for (const time of [at, at.getTime()])
      expect(computer.compute({ ...row, at: time })).toEqual(computer.compute(row));
  });

  it('imputes an unknown spelling and says so, with the overall statistics', () => {
    const { values, derived, notices } = computer.compute({ ...row, kind_name: 'nonsense' });
    expect(derived['kind']).toBeNull();
    expect([...values.slice(2, 4), values[7]]).toEqual([(12.5 - 5) / 2, 1.25, -1]);
    expect(notices).toEqual([
      { path: '/kind_name', message: '"nonsense" is not in kinds; kind is unknown' },
      { path: '/kind_name', message: '"nonsense" is not in kinds; kind was set to -1' },
    ]);
    expect(computer.compute(row).notices).toEqual([]);
  });

  it('imputes a canonical value that the model was not trained with', () => {
    const { values, notices } = computer.compute({ ...row, kind_name: 'c' });
    expect(values[7]).toBe(-1);
    expect(notices.map(({ message }) => message)).toEqual([
      '"c" is not among the values that the model knows; kind was set to -1',
    ]);
  });

  it('gives a shop that is rare the floor, and imputes one that is missing', () => {
    expect(computer.compute({ ...row, shop_name: 'never seen' }).values[4]).toBe(Math.fround(0.01));
    const { values, notices } = computer.compute({ ...row, shop_name: null });
    expect(values[4]).toBe(-2);
    expect(notices).toContainEqual({ path: '/shop_name', message: 'is missing; often was set to -2' });
    expect(computer.compute({ ...row, shop_name: '  ' }).notices[0]?.message).toBe('is empty; shop is unknown');
  });

  it('divides by 1 where the spread is 0', () => {
    expect([...computer.compute({ ...row, kind_name: 'b' }).values.slice(2, 4)]).toEqual([11.5, 12.5]);
  });

  it('converts a booking older than every fixing at the oldest, with a notice', () => {
    const { values, notices } = computer.compute({ ...row, at: '2025-06-26T10:00:00Z' });
    expect(values[0]).toBe(15);
    expect(notices).toEqual([
      { path: '/at', message: 'is not after the oldest fixing known (2025-06-26); converted at that one' },
    ]);
    const strict = structuredClone(registry);
    Object.assign(strict.derived[2]!.op, { before_oldest: 'refuse' });
    expect(() => compileFeatures(strict, lookups).compute({ ...row, at: '2025-06-26T10:00:00Z' })).toThrow(
      '/at is not after the oldest fixing known (2025-06-26)',
    );
  });

  it.each([
    [{ unit: 'XYZ' }, '/unit', '"XYZ" is not quoted in the fixing of 2025-06-27'],
    [{ unit: 'toString' }, '/unit', '"toString" is not quoted in the fixing of 2025-06-27'],
    [{ unit: null }, '/unit', 'is missing'],
    [{ unit: 3 }, '/unit', 'must be a string'],
    [{ sum: NaN }, '/sum', 'must be a finite number, not "NaN"'],
    [{ sum: Infinity }, '/sum', 'must be a finite number, not "Infinity"'],
    [{ sum: '10' }, '/sum', 'must be a finite number, not "10"'],
    [{ sum: undefined }, '/sum', 'is missing'],
    [{ sum: 1e300 }, '/sum', 'is too large: worth does not fit a 32-bit float'],
    [{ at: 'yesterday' }, '/at', 'must be an RFC 3339 time with an offset, not "yesterday"'],
    [{ at: null }, '/at', 'is missing'],
    [{ shop_name: ['x'] }, '/shop_name', 'must be a string'],
  ])('refuses %j at %s', (change, path, detail) => {
    expect(refusalOf({ ...row, ...change })).toMatchObject({ name: 'InvalidInput', path, detail });
  });

  it('refuses what is not an object', () => {
    for (const raw of [null, undefined, 5, 'row']) expect(refusalOf(raw).path).toBe('');
  });

  it('never gives a feature that is not finite, whatever the row: it computes or refuses', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.double(),
      fc.constant(null),
      fc.constant(undefined),
      fc.boolean(),
      fc.date(),
    );
    const field = (usual: unknown) =>
      fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: anything });
    const rows = fc.record(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, field(value)])));
    fc.assert(
      fc.property(rows, (raw) => {
        try {
          const { values } = computer.compute(raw);
          expect([...values].every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FeatureRefusal);
          expect((error as FeatureRefusal).path).toMatch(/^\/(at|sum|unit|kind_name|shop_name)$/);
        }
        // What one row left behind must not reach the next.
        expect(computer.compute(row).values[0]).toBe(12.5);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes any text for a name, the naughty ones too', () => {
    const naughty = JSON.parse(
      readFileSync(new URL('../../test/corpora/blns.json', import.meta.url), 'utf8'),
    ) as string[];
    for (const text of naughty) {
      const { values } = computer.compute({ ...row, shop_name: text, kind_name: text });
      expect([...values].every(Number.isFinite)).toBe(true);
    }
  });
});

describe('a registry that does not compile', () => {
  const broken = (change: (copy: FeatureRegistry) => void, given: Record<string, unknown> = lookups) => {
    const copy = structuredClone(registry);
    change(copy);
    return () => compileFeatures(copy, given);
  };
  it.each<[string, () => unknown, string]>([
    [
      'a lookup is missing',
      broken(() => {}, { ...lookups, stats: undefined }),
      'z: robust_z needs the lookup stats, which is not there',
    ],
    [
      'a lookup is of another kind',
      broken(() => {}, { ...lookups, stats: lookups.shops }),
      'robust_z cannot read the lookup stats: it has no overall',
    ],
    [
      'a feature is declared twice',
      broken((copy) => copy.features.push(copy.features[0]!)),
      'the feature worth is declared twice',
    ],
    [
      'a derived value is declared twice',
      broken((copy) => copy.derived.push(copy.derived[0]!)),
      'shop is declared twice',
    ],
    [
      'text is read as a number',
      broken((copy) => Object.assign(copy.features[0]!.op, { input: 'shop' })),
      'shop is read as a string and as a number',
    ],
    [
      'a feature is text',
      broken((copy) => Object.assign(copy.features[0]!, { op: { kind: 'normalise', input: 'shop_name' } })),
      'a feature is a number',
    ],
    [
      'a synonym leads nowhere',
      broken(() => {}, { ...lookups, kinds: { canonical: ['a'], synonyms: { x: 'q' } } }),
      '"x" leads to "q", which is not canonical',
    ],
    [
      'a spelling is ambiguous',
      broken(() => {}, { ...lookups, kinds: { canonical: ['a', 'b'], synonyms: { X: 'a', x: 'b' } } }),
      '"x" leads to "a" and to "b"',
    ],
  ])('%s', (_, compile, message) => {
    expect(compile).toThrow(message);
    try {
      compile();
    } catch (error) {
      expect((error as Error).name).toBe('InvalidSpec');
    }
  });
});
