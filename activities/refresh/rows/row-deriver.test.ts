import fc from 'fast-check';
import { BSON, Decimal128, Double, Int32, Long, type Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { compileFeatures, type Derived } from '../../../domain/features/compile.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { Groups } from './group-reader.js';
import { rawInputs, RowDeriver } from './row-deriver.js';

/** Thousands of cases: seconds alone, several times that on a machine that does something else as well. */
const PROPERTY_MS = 60_000;

type DerivedSpec = FeatureRegistry['derived'][number];
const keep = { null_policy: { on_null: 'keep' } } as const;
const refuse = { null_policy: { on_null: 'refuse' } } as const;
const convert: DerivedSpec = {
  name: 'worth',
  logic: '',
  op: { kind: 'convert', amount: 'sum', currency: 'unit', at: 'when', lookup: 'rates', before_oldest: 'refuse' },
  ...refuse,
};
const derived: DerivedSpec[] = [
  { name: 'shop', logic: '', op: { kind: 'normalise', input: 'name' }, ...keep },
  { name: 'kind', logic: '', op: { kind: 'canonical', input: 'word', lookup: 'words' }, ...keep },
  convert,
];
const lookups = {
  words: { canonical: ['tea', 'coffee'], synonyms: { 'green tea': 'tea', KAFFEE: 'coffee' } },
  rates: {
    base_currency: 'USD',
    last_updated: '2025-06-03T00:00:00Z',
    fixing_date: '2025-06-02',
    exchange_rates: { USD: 1, EUR: 1.25, GBP: 1.5 },
    trailing: [{ date: '2025-06-01', exchange_rates: { USD: 1, EUR: 1.125 } }],
  },
};
const none = { ranges: {}, allowed_values: {} };
const declared = { ranges: { sum: { min: 0 } }, allowed_values: { unit: ['USD', 'EUR', 'GBP'] } };
const at = (text: string): Date => new Date(text);

/** A server's reply: the documents as one BSON array, as the `find` of a projection gives them. */
function batchOf(documents: readonly Document[]): Buffer {
  const bytes = Buffer.from(BSON.serialize({ batch: documents }, { ignoreUndefined: true }));
  return bytes.subarray(4 + 1 + 'batch'.length + 1, bytes.length - 1);
}

function derive(
  documents: readonly Document[],
  {
    ops = derived,
    checks = declared,
  }: { ops?: DerivedSpec[]; checks?: ConstructorParameters<typeof RowDeriver>[2] } = {},
): { rows: number; values: Derived[]; refused: string[] } {
  const deriver = new RowDeriver({ derived: ops }, lookups, checks);
  const values: Derived[] = [];
  // In two batches, so that what the first left behind meets the second.
  const half = Math.ceil(documents.length / 2);
  let rows = 0;
  for (const part of [documents.slice(0, half), documents.slice(half)])
    rows += deriver.read(batchOf(part), (row) => void values.push({ ...row }));
  return { rows, values, refused: deriver.refused.lines() };
}

/** What the server makes of documents with `$group`: equal keys together, values that are not there left out. */
function groupsOf(documents: readonly Document[], { $group }: Document, wanted: readonly string[]): Buffer {
  const groups = new Map<string, { _id: unknown; rows: Int32; numbers: unknown[] }>();
  for (const document of documents) {
    const key =
      wanted.length === 1
        ? ((document[wanted[0] as string] as unknown) ?? null)
        : Object.fromEntries(wanted.flatMap((name, i) => (document[name] === undefined ? [] : [[i, document[name]]])));
    const id = BSON.EJSON.stringify({ key });
    const group = groups.get(id) ?? { _id: key, rows: new Int32(0), numbers: [] };
    group.rows = new Int32(group.rows.value + 1);
    if (document['sum'] !== undefined) group.numbers.push(document['sum']);
    groups.set(id, group);
  }
  const made = [...groups.values()].map(({ numbers, ...group }) =>
    ($group as Document)['numbers'] === undefined ? group : { ...group, numbers },
  );
  return batchOf(made);
}

/** The same through the compiled ops, a row at a time, as a snapshot does it. */
function reference(documents: readonly Document[]): Derived[] {
  const computer = compileFeatures({ derived, features: [] }, lookups);
  return documents.flatMap((document) => {
    try {
      return [computer.compute(BSON.deserialize(BSON.serialize(document, { ignoreUndefined: true }))).derived];
    } catch {
      return [];
    }
  });
}

const row = {
  name: ' Café  No 1',
  word: 'Green Tea',
  sum: new Double(4),
  unit: 'EUR',
  when: at('2025-06-03T10:00:00Z'),
};

describe('RowDeriver', () => {
  it('converts at the day’s rate and names as the ops do', () => {
    const rows = [row, { ...row, when: at('2025-06-02T23:59:59.999Z'), sum: new Int32(8), word: 'kaffee' }];
    expect(derive(rows).values).toEqual([
      { shop: 'café no 1', kind: 'tea', worth: 5 },
      { shop: 'café no 1', kind: 'coffee', worth: 9 },
    ]);
  });

  it.each([
    ['NaN', { sum: NaN }, '/sum must be a finite number, not "NaN"'],
    ['an infinite amount', { sum: -Infinity }, '/sum is below 0'],
    ['Decimal128', { sum: Decimal128.fromString('4.5') }, '/sum must be a finite number, not "4.5"'],
    ['a string', { sum: '4.5' }, '/sum must be a finite number, not "4.5"'],
    ['a list', { sum: [4] }, '/sum must be a finite number, not "4"'],
    ['null', { sum: null }, '/sum is missing'],
    ['no amount', { sum: undefined }, '/sum is missing'],
    ['a negative amount', { sum: -1 }, '/sum is below 0'],
    ['a negative integer', { sum: new Int32(-1) }, '/sum is below 0'],
    ['a long beyond 2^53', { sum: Long.MAX_VALUE }, '/sum must be a finite number, not "9223372036854775807"'],
    ['an amount that no rate can convert', { sum: 1e308, unit: 'GBP' }, null],
    ['an unknown currency', { unit: 'XXX' }, '/unit "XXX" is not among the allowed values'],
    [
      'a currency that the day’s fixing lacks',
      { unit: 'GBP', when: at('2025-06-02T10:00:00Z') },
      '/unit "GBP" is not quoted in the fixing of 2025-06-01',
    ],
    ['a currency that is a number', { unit: 5 }, '/unit must be a string'],
    [
      'a booking before all fixings',
      { when: at('2025-06-01T10:00:00Z') },
      '/when is not after the oldest fixing known (2025-06-01)',
    ],
    ['a merchant that is a number', { name: 5 }, '/name must be a string'],
  ] as const)('leaves %s out and says why', (_, odd, reason) => {
    const { rows, values, refused } = derive([row, { ...row, ...odd }, row]);
    expect(rows).toBe(3);
    if (reason === null) return expect(values).toHaveLength(3);
    expect(values).toHaveLength(2);
    expect(refused).toEqual([`1 row left out: ${reason}`]);
  });

  it('keeps rows whose texts are unknown, empty or missing, as the null policies say', () => {
    const odd = [{ word: 'mate' }, { word: null }, { word: undefined }, { name: '  ' }, { name: undefined }];
    const { values } = derive(odd.map((part) => ({ ...row, ...part })));
    expect(values.map(({ kind, shop }) => [kind, shop])).toEqual([
      [null, 'café no 1'],
      [null, 'café no 1'],
      [null, 'café no 1'],
      ['tea', null],
      ['tea', null],
    ]);
  });

  it('refuses a product that is no number', () => {
    const { refused } = derive([{ ...row, sum: 1.7e308, unit: 'GBP' }], { checks: none });
    expect(refused).toEqual(['1 row left out: worth is too large for a number']);
  });

  it('tells twenty reasons apart and counts the rest', () => {
    const { refused } = derive(Array.from({ length: 50 }, (_, i) => ({ ...row, unit: `X${i}` })));
    expect(refused).toHaveLength(21);
    expect(refused[0]).toBe('30 rows left out: for other reasons');
  });

  it(
    'gives what the compiled ops give, whatever rows hold, in any order of fields',
    () => {
      const value = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.constantFrom('tea', 'GREEN  TEA', 'Kaffee', 'straße', 'STRASSE', '', 'USD', 'EUR', 'GBP'),
        },
        fc.double(),
        fc.integer(),
        fc.constantFrom(null, undefined, true, Decimal128.fromString('1'), Long.fromNumber(7), Long.MAX_VALUE),
        fc.string({ unit: 'binary' }),
        fc.constant({ a: 1 }),
      );
      const moment = fc.oneof(
        { weight: 5, arbitrary: fc.date({ min: at('2025-05-31'), max: at('2025-06-05'), noInvalidDate: true }) },
        value,
      );
      const number = fc.oneof({ weight: 5, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) }, value);
      const document = fc
        .record({
          name: value,
          word: value,
          sum: number,
          unit: fc.oneof(fc.constantFrom('USD', 'EUR', 'GBP'), value),
          when: moment,
        })
        .chain((made) =>
          fc
            .shuffledSubarray(Object.keys(made), { minLength: 4 })
            .map((keys) => Object.fromEntries(keys.map((key) => [key, made[key as keyof typeof made] as unknown]))),
        );
      fc.assert(
        fc.property(fc.array(document, { maxLength: 30 }), (documents) => {
          expect(derive(documents, { checks: none }).values).toEqual(
            reference(documents).filter(({ worth }) => Number.isFinite(worth)),
          );
        }),
        { numRuns: 300 },
      );
    },
    PROPERTY_MS,
  );

  it(
    'gives for groups what it gives for their rows, or says that it cannot',
    () => {
      const text = fc.constantFrom('tea', 'Green Tea', 'mate', '', 'USD', 'EUR', 'GBP', null, undefined);
      const odd = fc.constantFrom(5, NaN, true, Decimal128.fromString('1'), Long.MAX_VALUE, null, undefined);
      const sum = fc.oneof({ weight: 30, arbitrary: fc.double({ noNaN: true, min: -1, max: 1e6 }) }, odd);
      const document = fc.record({
        name: fc.oneof({ weight: 60, arbitrary: text }, odd),
        word: text,
        sum: sum.map((value) => (typeof value === 'number' ? new Double(value) : value)),
        unit: text,
        when: fc.date({ min: at('2025-06-03'), max: at('2025-06-03T23:59:59Z'), noInvalidDate: true }),
      });
      let byGroup = 0;
      fc.assert(
        fc.property(
          fc.constantFrom<string[]>(['shop'], ['kind', 'worth'], ['shop', 'kind', 'worth']),
          fc.array(document, { maxLength: 20 }),
          (names, documents) => {
            const ops = derived.filter(({ name }) => names.includes(name));
            const fields = rawInputs(ops);
            const rows = documents.map((one) =>
              Object.fromEntries(fields.map(({ name }) => [name, one[name as keyof typeof one] as unknown])),
            );
            const deriver = new RowDeriver({ derived: ops }, lookups, declared);
            const reader = deriver.grouping('when');
            if (reader === null) return expect.fail('these can be grouped');
            const texts = fields.filter(({ type }) => type === 'string').map(({ name }) => name);
            const groups = new Groups();
            if (!reader.read(groupsOf(rows, reader.stage, texts), groups)) return;
            byGroup++;
            const values: string[] = [];
            const count = deriver.addGroups(reader, groups, Date.parse('2025-06-03'), (one, times) =>
              values.push(...Array.from({ length: times }, () => JSON.stringify(one))),
            );
            const single = derive(rows, { ops });
            expect(count).toBe(single.rows);
            expect(values.sort()).toEqual(single.values.map((one) => JSON.stringify(one)).sort());
            // A row with two faults may be told the one or the other.
            expect(deriver.refused.count).toBe(single.rows - single.values.length);
          },
        ),
        { numRuns: 500 },
      );
      expect(byGroup).toBeGreaterThan(50);
    },
    PROPERTY_MS,
  );

  it('does not let the server group where a time is another than the window’s', () => {
    const deriver = new RowDeriver({ derived }, lookups, declared);
    expect(deriver.grouping('labelled_at')).toBeNull();
    expect(deriver.grouping('when')?.byDay).toBe(true);
    expect(new RowDeriver({ derived: derived.slice(0, 1) }, lookups, declared).grouping('labelled_at')).toMatchObject({
      byDay: false,
      stage: { $group: { _id: '$name', rows: { $sum: 1 } } },
    });
  });

  it('takes the long way where a derived value hangs on several', () => {
    const ops: DerivedSpec[] = [
      { ...convert },
      { name: 'log', logic: '', op: { kind: 'log1p', input: 'worth' }, ...keep },
    ];
    expect(derive([row, { ...row, sum: 'x' }], { ops: ops, checks: none }).values).toEqual([
      { worth: 5, log: Math.log1p(5) },
    ]);
  });
});

it('reads the raw fields that anything is derived from, once each', () => {
  const chained: DerivedSpec = { name: 'again', logic: '', op: { kind: 'normalise', input: 'shop' }, ...keep };
  expect(rawInputs([...derived, chained])).toEqual([
    { name: 'name', type: 'string' },
    { name: 'word', type: 'string' },
    { name: 'sum', type: 'number' },
    { name: 'unit', type: 'string' },
    { name: 'when', type: 'time' },
  ]);
});
