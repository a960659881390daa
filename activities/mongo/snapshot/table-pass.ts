import type { Db, Document } from 'mongodb';
import { compileFeatures, type Lookups } from '../../../domain/features/compile.js';
import type { RequestFields } from '../../../domain/features/check.js';
import { FeatureRefusal } from '../../../domain/features/refusal.js';
import { ProfileBuilder } from '../../../domain/data-quality/profile.js';
import type { LoadedModel } from '../../../platform/models.js';
import { createTableFile } from '../table-file.js';
import { rawCell, SPLITS, tableColumns } from './columns.js';
import type { ContentHash } from './content-hash.js';
import { streamRows } from './stream.js';
import type { SnapshotWindow } from './window.js';

export interface TableResult {
  contentSha256: string;
  featureNames: string[];
  /** rows in the table */
  rows: number;
  positives: number;
  splits: Record<(typeof SPLITS)[number], number>;
  profile: ProfileBuilder;
}

/** The second pass: every row through the features into a Parquet file, and through the profile. */
export async function tablePass(
  db: Db,
  { spec, registry }: LoadedModel,
  window: SnapshotWindow,
  request: RequestFields,
  lookups: Lookups,
  hash: ContentHash,
  path: string,
  how: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<TableResult> {
  const { data, segment } = spec;
  const { fields } = data;
  const computer = compileFeatures(registry, lookups);
  const profile = new ProfileBuilder({
    request,
    idField: fields.id,
    derivedNames: registry.derived.map(({ name }) => name),
    featureNames: computer.names,
  });
  const table = await createTableFile(path, tableColumns(request, computer.names));
  const rawFields = [...request];
  const features = new Float32Array(computer.names.length);
  const splits = { train: 0, validation: 0, test: 0 };
  let positives = 0;

  const addRow = (row: Document, position: number): void => {
    hash.add(row);
    const split = position >= window.testFrom ? 2 : position >= window.validationFrom ? 1 : 0;
    const splitName = SPLITS[split];
    const idValue = row[fields.id] as unknown;
    const id = typeof idValue === 'string' ? idValue : '';
    const eventTimeMs = (row[fields.time] as Date).getTime();
    const label = (row[fields.label] as unknown) === 1 ? 1 : 0;
    const labelTimeMs = (row[fields.label_time] as Date).getTime();
    profile.observe({ id, raw: row, label, labelTimeMs, eventTimeMs, split: splitName });
    try {
      if (id === '') throw new FeatureRefusal(`/${fields.id}`, 'must be a text');
      if (row[fields.label] !== 0 && row[fields.label] !== 1)
        throw new FeatureRefusal(`/${fields.label}`, 'must be 0 or 1');
      const { derived, notices } = computer.computeInto(row, features, 0);
      profile.accept(derived, notices, features, 0);
      let column = 0;
      const put = (value: string | number | bigint | null): void => table.set(column++, value);
      put(id);
      put(BigInt(eventTimeMs));
      put(label);
      put(split);
      put((derived[segment] as string | null | undefined) ?? null);
      for (const [name, type] of rawFields) put(rawCell(row[name], type));
      for (const value of features) put(value);
      table.endRow();
    } catch (error) {
      if (!(error instanceof FeatureRefusal)) throw error;
      profile.refuse(id, error.path, error.detail);
      return;
    }
    splits[splitName]++;
    positives += label;
  };

  try {
    await streamRows(
      db.collection(data.collection),
      data,
      window,
      [...request.keys()],
      async (batch, firstPosition) => {
        for (const [index, row] of batch.entries()) addRow(row, firstPosition + index);
        await table.flush();
      },
      how,
    );
    const { rows } = await table.finish();
    return { contentSha256: hash.digest(), featureNames: [...computer.names], rows, positives, splits, profile };
  } catch (error) {
    await table.abandon();
    throw error;
  }
}
