import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Column } from './parquet/columns.js';
import { createTableFile } from './table-file.js';

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'sluice-table-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

const columns: Column[] = [
  { name: 'id', type: 'STRING', nullable: false },
  { name: 'at', type: 'INT64', nullable: false },
  { name: 'label', type: 'INT32', nullable: false },
  { name: 'segment', type: 'STRING', nullable: true },
  { name: 'amount', type: 'DOUBLE', nullable: true },
  { name: 'exact', type: 'DOUBLE', nullable: false },
  { name: 'feature', type: 'FLOAT', nullable: false },
];
const cells = (index: number): (string | number | bigint | null)[] => [
  `row ${index} ü`,
  1_700_000_000_000n + BigInt(index),
  index % 2,
  index % 7 === 0 ? null : `s${index % 5}`,
  index % 11 === 0 ? null : index / 3,
  index / 7,
  Math.fround(index / 9),
];
async function write(path: string, rows: number): Promise<{ rows: number }> {
  const table = await createTableFile(path, columns);
  for (let index = 0; index < rows; index++) {
    cells(index).forEach((value, column) => table.set(column, value));
    await table.endRow();
  }
  return table.finish();
}

it('writes rows in groups and gives them back as they were', async () => {
  const path = join(directory, 'table.parquet');
  expect(await write(path, 43_456)).toEqual({ rows: 43_456 });
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([20_000, 20_000, 3_456]);
  const rows = await parquetReadObjects({ file, metadata });
  for (const [index, row] of rows.entries()) {
    if (Object.values(row).some((value, column) => value !== cells(index)[column]))
      expect(Object.values(row)).toEqual(cells(index));
  }
});

it('writes the same bytes for the same rows', async () => {
  const [a, b] = [join(directory, 'a.parquet'), join(directory, 'b.parquet')];
  await write(a, 22_000);
  await write(b, 22_000);
  expect((await readFile(a)).equals(await readFile(b))).toBe(true);
});

it('writes a table without rows', async () => {
  const path = join(directory, 'empty.parquet');
  expect(await write(path, 0)).toEqual({ rows: 0 });
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
  expect(metadata.num_rows).toBe(0n);
});
