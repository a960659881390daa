import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TextColumn } from '../../../domain/columns/text-column.js';
import { createColumnFile } from './column-file.js';
import type { Column, ColumnValues } from './columns.js';

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'sluice-columns-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

const COLUMNS: Column[] = [
  { name: 'text', type: 'STRING', nullable: true },
  { name: 'same text', type: 'STRING', nullable: true },
  { name: 'int', type: 'INT32', nullable: false },
  { name: 'long', type: 'INT64', nullable: false },
  { name: 'float', type: 'FLOAT', nullable: false },
  { name: 'double', type: 'DOUBLE', nullable: true },
];

interface Cells {
  text: string | null;
  int: number;
  long: number;
  float: number;
  double: number | null;
}

function columnsOf(rows: readonly Cells[]): ColumnValues[] {
  const texts = new TextColumn(Math.max(rows.length, 1));
  rows.forEach(({ text }, row) => {
    const bytes = Buffer.from(text ?? '');
    texts.ids[row] = text === null ? -1 : texts.idOf(bytes, 0, bytes.length);
  });
  const text = { texts, ids: texts.ids.subarray(0, rows.length) };
  return [
    text,
    text,
    { numbers: Int32Array.from(rows, ({ int }) => int) },
    { numbers: Float64Array.from(rows, ({ long }) => long) },
    { numbers: Float32Array.from(rows, ({ float }) => float) },
    { numbers: Float64Array.from(rows, ({ double }) => double ?? NaN) },
  ];
}

// Few different values make dictionaries, many make none; nothing but nulls is a column as well.
const few: fc.Arbitrary<Cells> = fc.record({
  text: fc.constantFrom('a', 'ü', '', null),
  int: fc.constantFrom(0, 1, -1),
  long: fc.constantFrom(0, -1, 1_735_689_659_000),
  float: fc.constantFrom(0, 0.5, 23),
  double: fc.constantFrom(null, 1.5, -0.25),
});
const many: fc.Arbitrary<Cells> = fc.record({
  text: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null)),
  int: fc.integer(),
  long: fc.maxSafeInteger(),
  float: fc.float({ noNaN: true, noDefaultInfinity: true }),
  double: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
});
const none = few.map((cells): Cells => ({ ...cells, text: null, double: null }));
const group = fc.oneof(...[few, many, none].map((cells) => fc.array(cells, { minLength: 1, maxLength: 300 })));

it('gives every value back, by dictionaries or without, null or not', async () => {
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(group, { maxLength: 3 }), async (groups) => {
      const path = join(directory, `${serial++}.parquet`);
      const file = await createColumnFile(path, COLUMNS);
      for (const rows of groups) await file.writeGroup(columnsOf(rows));
      expect(await file.finish()).toEqual({ rows: groups.flat().length });
      const buffer = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(buffer);
      expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual(groups.map(({ length }) => length));
      const read = await parquetReadObjects({ file: buffer, metadata });
      const expected = groups.flat().map(({ text, int, long, float, double }) => ({
        text,
        'same text': text,
        int,
        long: BigInt(long),
        float,
        double,
      }));
      expect(read).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});
