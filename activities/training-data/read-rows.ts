import type { Db } from 'mongodb';
import type { ChunkField, RowChunk } from '../../domain/columns/row-chunk.js';
import type { RequestFields } from '../../domain/features/check.js';
import { opOutput } from '../../domain/features/op-inputs.js';
import { ProfileBuilder } from '../../domain/data-quality/profile.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ModelSpec } from '../../schemas/types.js';
import { streamRows } from '../../stores/transactions/stream.js';
import type { PassOptions, RowSpool } from './row-spool.js';
import type { SnapshotWindow } from './window.js';

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
 * Every mature row in its order, once: into the spool and the profile, while MongoDB is busy with the next rows.
 * @returns what has seen every row, and no features yet
 */
export async function readRows(
  db: Db,
  { spec, registry }: LoadedModel,
  window: SnapshotWindow,
  request: RequestFields,
  chunk: RowChunk,
  spool: RowSpool,
  { signal, onProgress }: PassOptions,
): Promise<ProfileBuilder> {
  const names = spec.data.fields;
  const profile = new ProfileBuilder({
    request,
    idField: names.id,
    derived: registry.derived.map(({ name, op }) => ({ name, type: opOutput(op) })),
  });
  const observed = {
    label: chunk.numbersOf(names.label),
    labelTime: chunk.numbersOf(names.label_time),
    eventTime: chunk.numbersOf(names.time),
  };
  const [fromMs, toMs] = [Date.parse(window.from), Date.parse(window.to)];
  await streamRows(
    db,
    spec.data,
    window,
    chunk,
    async () => {
      profile.observeChunk(chunk, observed);
      await spool.write(chunk);
      // Rows come in the order of time, and how many will come is not known.
      onProgress(((observed.eventTime[chunk.rows - 1] ?? fromMs) - fromMs) / (toMs - fromMs));
    },
    signal,
  );
  return profile;
}
