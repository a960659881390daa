import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { BSON, Decimal128, Double, Long, type Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RowChunk } from '../../domain/columns/row-chunk.js';
import { ProfileBuilder } from '../../domain/data-quality/profile.js';
import { requestFields } from '../../domain/features/check-model.js';
import { compileFeatures } from '../../domain/features/compile.js';
import { compileColumns } from '../../domain/features/compile-columns.js';
import { opOutput } from '../../domain/features/op-inputs.js';
import { loadModel, type LoadedModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import { ChunkReader } from '../../stores/transactions/chunk-reader.js';
import { ContentHash, rowLine } from './content-hash.js';
import { snapshotFields } from './read-rows.js';
import { RowSpool } from './row-spool.js';
import { Spool } from './spool.js';

// What goes through columns against what goes through objects, on rows that hold anything.

const CAPACITY = 40;
const stats = { count: 9, median: 40, iqr: 25, p995: 900 };
const rates = { USD: 1, EUR: 1.1, JPY: 0.0067 };
let model: LoadedModel;
let directory: string;

beforeAll(async () => {
  model = await loadModel(projectPath('models'), 'ulb_gbdt');
  directory = await mkdtemp(join(tmpdir(), 'sluice-columns-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const fieldsOf = () => snapshotFields(requestFields(model.requestSchema), model.spec.data.fields);
const lookupsOf = () => ({
  operation_type_synonyms: model.staticLookups['operation_type_synonyms']!.document,
  fx_rates: {
    base_currency: 'USD',
    fixing_date: '2025-01-03',
    exchange_rates: rates,
    trailing: [{ date: '2025-01-02', exchange_rates: rates }],
  },
  merchant_freq_map: { total: 9, floor: 0, frequencies: { 'café x': 0.25, acme: 0.5 } },
  category_stats: {
    unit: 'USD',
    overall: stats,
    categories: { travel: { ...stats, iqr: 0 }, home: { ...stats, p995: 0 } },
  },
});

const odd = fc.constantFrom<unknown>(
  null,
  undefined,
  NaN,
  Infinity,
  'text',
  '',
  7,
  true,
  new Decimal128('1'),
  { a: 1 },
  new Date(NaN),
);
const often = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd });
const time = fc.integer({ min: 0, max: 5 * 86_400_000 }).map((ms) => new Date(Date.UTC(2025, 0, 1, 12) + ms));
const amount = fc.oneof(
  fc.integer({ min: -200, max: 100_000 }).map((cents) => new Double(cents / 100)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -5, max: 2_000_000_000 }),
  fc.constantFrom(Long.fromNumber(3e10), Long.MAX_VALUE, -0, 1e308),
);
const document = fc.record({
  customer_id: often(fc.constantFrom('c1', 'c2', 'ß')),
  booked_at: time,
  amount: often(amount),
  currency: often(fc.constantFrom('USD', 'EUR', 'JPY', 'ZZZ')),
  operation_type: often(fc.constantFrom('Travel', 'home', 'TRAVEL', 'who knows')),
  merchant_name: often(fc.constantFrom('Acme', 'Cafe\u0301  X', 'İ', 'new one', ' ')),
  is_fraud: often(fc.constantFrom(0, 1, 2)),
  labeled_at: time,
});
/** Rows in the order of time, some without a field, some with more than the fields, ids mostly there. */
const rowsOf = fc
  .array(fc.tuple(document, fc.constantFrom('', 'customer_id', 'more', 'bad id')), { minLength: 20, maxLength: 100 })
  .map((drawn) =>
    drawn
      .map(([row, change], index): Document => {
        const made: Document = { _id: index, transaction_id: change === 'bad id' ? index : `t${index}`, ...row };
        if (change === 'customer_id') delete made['customer_id'];
        if (change === 'more') made['note'] = { from: ['elsewhere', index] };
        return made;
      })
      .sort((a, b) => (a['booked_at'] as Date).getTime() - (b['booked_at'] as Date).getTime()),
  );

/** Every chunk that a reader makes of some documents, one after the other. */
async function eachChunkOf(
  rows: Document[],
  each: (chunk: RowChunk) => Promise<void> | void,
  capacity = CAPACITY,
): Promise<void> {
  const fields = fieldsOf();
  const chunk = new RowChunk(fields, capacity, 'transaction_id');
  const full = async (): Promise<void> => {
    await each(chunk);
    chunk.clear(chunk.firstPosition + chunk.rows);
  };
  chunk.clear(0);
  const bytes = Buffer.from(BSON.serialize({ batch: rows }, { ignoreUndefined: true }));
  const batch = bytes.subarray(4 + 1 + 'batch'.length + 1, bytes.length - 1);
  await new ChunkReader(fields).read(batch, chunk, full);
  if (chunk.rows > 0) await full();
}
const stored = (row: Document): Document =>
  BSON.deserialize(BSON.serialize(row, { ignoreUndefined: true }), { validation: { utf8: false } });
const named = (row: Document): Document =>
  Object.fromEntries(fieldsOf().flatMap(({ name }) => (name in row ? [[name, row[name] as unknown]] : [])));

it('hands out rows, and hashes them, as they are stored', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf, async (rows) => {
      const names = fieldsOf().map(({ name }) => name);
      const [hash, read] = [new ContentHash('header\n'), [] as Document[]];
      await eachChunkOf(rows, (chunk) => {
        hash.addRows(chunk);
        for (let row = 0; row < chunk.rows; row++) read.push(named(chunk.row(row)));
      });
      const expected = rows.map(stored);
      expect(read).toEqual(expected.map(named));
      const lines = createHash('sha256').update('header\n');
      for (const row of expected) lines.update(rowLine(row, names));
      expect(hash.digest()).toBe(lines.digest('hex'));
    }),
    { numRuns: 200 },
  );
});

it('computes the features that the compiled ops compute, and marks every row of which there is more to say', async () => {
  const lookups = lookupsOf();
  const ops = compileFeatures(model.registry, lookups);
  const columns = compileColumns(model.registry, lookups, CAPACITY);
  let unmarked = 0;
  await fc.assert(
    fc.asyncProperty(rowsOf, async (rows) => {
      const expected = rows.map(stored);
      await eachChunkOf(rows, (chunk) => {
        columns.compute(chunk);
        for (let row = 0; row < chunk.rows; row++) {
          if (columns.marked[row] === 1) continue;
          unmarked++;
          const { values, derived, notices } = ops.compute(expected[chunk.firstPosition + row]);
          expect(notices).toEqual([]);
          expect(columns.features.map((feature) => feature[row])).toEqual([...values]);
          for (const [name, { ids, texts }] of columns.texts) expect(texts[ids[row]!]).toBe(derived[name]);
          for (const [name, numbers] of columns.numbers) expect(numbers[row]).toBe(derived[name]);
        }
      });
    }),
    { numRuns: 200 },
  );
  expect(unmarked).toBeGreaterThan(200);
});

it('profiles chunks as it profiles rows', async () => {
  const request = requestFields(model.requestSchema);
  const derived = model.registry.derived.map(({ name, op }) => ({ name, type: opOutput(op) }));
  const about = {
    asOf: '2025-02-01T00:00:00.000Z',
    fixings: { count: 0, oldest: null, newest: null, largest_gap_days: 0 },
    features: {},
  };
  await fc.assert(
    fc.asyncProperty(rowsOf, async (drawn) => {
      // Every row twice, under another id: contents repeat.
      const rows = drawn.flatMap((row, index) => [row, { ...row, transaction_id: `again${index}` }]);
      const [byChunk, byRow] = [0, 1].map(() => new ProfileBuilder({ request, idField: 'transaction_id', derived }));
      await eachChunkOf(rows, (chunk) => {
        const label = chunk.numbersOf('is_fraud');
        const labelTime = chunk.numbersOf('labeled_at');
        const eventTime = chunk.numbersOf('booked_at');
        byChunk!.observeChunk(chunk, { label, labelTime, eventTime });
      });
      for (const row of rows.map(stored))
        byRow!.observe({
          id: typeof row['transaction_id'] === 'string' ? row['transaction_id'] : '',
          raw: row,
          label: row['is_fraud'] === 1 ? 1 : 0,
          labelTimeMs: (row['labeled_at'] as Date).getTime(),
          eventTimeMs: (row['booked_at'] as Date).getTime(),
        });
      expect(byChunk!.build(about)).toEqual(byRow!.build(about));
    }),
    { numRuns: 100 },
  );
});

it('gives back what was put on disk', async () => {
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(rowsOf, async (rows) => {
      const spool = await Spool.create(join(directory, `rows-${serial++}`));
      const spooled = new RowSpool(spool);
      await eachChunkOf(rows, (chunk) => spooled.write(chunk));
      const chunk = new RowChunk(fieldsOf(), CAPACITY, 'transaction_id');
      const read: Document[] = [];
      // Backwards: a chunk keeps nothing of the one before.
      for (let index = spooled.chunks.length - 1; index >= 0; index--) {
        await spooled.read(index, chunk);
        expect(chunk.firstPosition).toBe(index * CAPACITY);
        read.unshift(...Array.from({ length: chunk.rows }, (_, row) => named(chunk.row(row))));
      }
      await spool.close();
      expect(read).toEqual(rows.map(stored).map(named));
    }),
    { numRuns: 50 },
  );
});

it('keeps a chunk of which every row is odd', async () => {
  const rows = Array.from({ length: 3_000 }, (_, index): Document => ({ transaction_id: `t${index}`, amount: 'much' }));
  const spool = await Spool.create(join(directory, 'odd'));
  const spooled = new RowSpool(spool);
  await eachChunkOf(rows, (chunk) => spooled.write(chunk), rows.length);
  const chunk = new RowChunk(fieldsOf(), rows.length, 'transaction_id');
  await spooled.read(0, chunk);
  await spool.close();
  expect(rows.map((_, row) => chunk.row(row))).toEqual(rows);
});
