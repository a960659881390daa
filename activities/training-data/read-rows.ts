import type { Db } from 'mongodb';
import type { ChunkField, RowChunk } from '../../domain/columns/row-chunk.js';
import type { RequestFields } from '../../domain/features/check.js';
import { opOutput } from '../../domain/features/op-inputs.js';
import { ProfileBuilder } from '../../domain/data-quality/profile.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ModelSpec } from '../../schemas/types.js';
import { streamRows } from '../../stores/transactions/stream.js';
import { SPLITS, splitAt } from './columns.js';
import { ContentHash } from './content-hash.js';
import type { PassOptions, RowSpool } from './row-spool.js';
import type { SnapshotWindow } from './window.js';

export interface RowsRead {
  rows: number;
  /** over the header and all rows */
  contentSha256: string;
  /** event time of the first test row, of the last row where there is none */
  testStartMs: number;
  /** has seen every row, and no features yet */
  profile: ProfileBuilder;
}

/** What a snapshot reads of a transaction, in the order in which its content is hashed. */
export function snapshotFields(
  request: RequestFields,
  { label, label_time }: ModelSpec['data']['fields'],
): ChunkField[] {
  return [
    ...[...request].map(([name, type]): ChunkField => ({ name, type })),
    { name: label, type: 'number' },
    { name: label_time, type: 'time' },
  ];
}

/**
 * Every mature row in its order, once: into the spool, the content hash and the profile. All that does not hang on the lookups is done here, while
 * MongoDB is busy with the next rows.
 */
export async function readRows(
  db: Db,
  { spec, registry }: LoadedModel,
  window: SnapshotWindow,
  request: RequestFields,
  hashHeader: string,
  chunk: RowChunk,
  spool: RowSpool,
  how: PassOptions,
): Promise<RowsRead> {
  const names = spec.data.fields;
  const hash = new ContentHash(hashHeader);
  const profile = new ProfileBuilder({
    request,
    idField: names.id,
    derived: registry.derived.map(({ name, op }) => ({ name, type: opOutput(op) })),
  });
  const observed = {
    label: chunk.numbersOf(names.label),
    labelTime: chunk.numbersOf(names.label_time),
    eventTime: chunk.numbersOf(names.time),
    splitOf: (position: number) => SPLITS[splitAt(window, position)],
  };
  const testStart = Math.min(window.testFrom, window.rows - 1);
  let testStartMs = NaN;
  let rows = 0;
  await streamRows(
    db,
    spec.data,
    window,
    chunk,
    async () => {
      rows += chunk.rows;
      hash.addRows(chunk);
      profile.observeChunk(chunk, observed);
      const index = testStart - chunk.firstPosition;
      if (index >= 0 && index < chunk.rows) testStartMs = observed.eventTime[index] ?? NaN;
      await spool.write(chunk);
    },
    how,
  );
  return { rows, contentSha256: hash.digest(), testStartMs, profile };
}
