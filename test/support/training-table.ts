import type { Column } from '../../activities/training-data/parquet/columns.js';
import { createTableFile } from '../../activities/training-data/table-file.js';
import { randomOf } from './random.js';

const SEGMENTS = ['grocery', 'travel', null] as const;
export const TABLE_FEATURES = ['amount', 'hour', 'noise'] as const;

export interface TableOptions {
  rows?: number;
  seed?: number;
  /** frauds in the held-out part or none */
  testFrauds?: boolean;
  /** puts a NaN where no feature may have one */
  withNaN?: boolean;
}

/**
 * Writes a training table of the contract with the snapshot's own writer: three features, of which two matter, 4 % frauds, over 60 days,
 * split 65 : 15 : 20 by time. @returns how many rows each part has
 */
export async function writeTrainingTable(
  path: string,
  { rows = 6_000, seed = 1, testFrauds = true, withNaN = false }: TableOptions = {},
): Promise<{ train: number; validation: number; test: number }> {
  const random = randomOf(seed);
  const columns: Column[] = [
    { name: 'row_id', type: 'STRING', nullable: false },
    { name: 'booked_at', type: 'INT64', nullable: false },
    { name: 'label', type: 'INT32', nullable: false },
    { name: 'split', type: 'INT32', nullable: false },
    { name: 'segment', type: 'STRING', nullable: true },
    { name: 'raw.amount', type: 'DOUBLE', nullable: true },
    { name: 'raw.operation_type', type: 'STRING', nullable: true },
    ...TABLE_FEATURES.map((name): Column => ({ name: `feature.${name}`, type: 'FLOAT', nullable: false })),
  ];
  const table = await createTableFile(path, columns);
  const from = Date.UTC(2025, 0, 1);
  const parts = [0, 0, 0] as [number, number, number];
  for (let row = 0; row < rows; row++) {
    const split = row < rows * 0.65 ? 0 : row < rows * 0.8 ? 1 : 2;
    parts[split]++;
    const amount = Math.fround(Math.exp(3 + 1.5 * (random() + random() + random() - 1.5)));
    const hour = Math.floor(random() * 24);
    const isRisky = amount > 60 && (hour < 5 || hour > 21);
    const label = (split < 2 || testFrauds) && random() < (isRisky ? 0.55 : 0.012) ? 1 : 0;
    const segment = SEGMENTS[row % SEGMENTS.length] ?? null;
    const noise = withNaN && row === 17 ? Number.NaN : random();
    const cells = [
      `r${String(row).padStart(6, '0')}`,
      BigInt(from + Math.floor((row / rows) * 60 * 86_400_000)),
      label,
      split,
      segment,
      amount,
      segment,
      amount,
      hour,
      noise,
    ];
    cells.forEach((cell, column) => table.set(column, cell));
    await table.endRow();
  }
  await table.finish();
  return { train: parts[0], validation: parts[1], test: parts[2] };
}
