import type { Db, Document } from 'mongodb';
import { compileFeatures, type Lookups } from '../../domain/features/compile.js';
import type { RequestFields } from '../../domain/features/check.js';
import { opOutput } from '../../domain/features/op-inputs.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import { ProfileBuilder } from '../../domain/data-quality/profile.js';
import type { LoadedModel } from '../../platform/models.js';
import { createTableFile } from './table-file.js';
import { rawCell, SPLITS, tableColumns } from './columns.js';
import { ContentHash, rowLine } from './content-hash.js';
import { streamRows } from '../../stores/transactions/stream.js';
import type { SnapshotWindow } from './window.js';

export interface TableResult {
  /** over all rows */
  contentSha256: string;
  /** over the rows of the lookups' window */
  lookupRowsSha256: string;
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
  fields: readonly string[],
  hashHeader: string,
  lookups: Lookups,
  path: string,
  how: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<TableResult> {
  const { data, segment } = spec;
  const names = data.fields;
  const computer = compileFeatures(registry, lookups);
  const profile = new ProfileBuilder({
    request,
    idField: names.id,
    derived: registry.derived.map(({ name, op }) => ({ name, type: opOutput(op) })),
    featureNames: computer.names,
  });
  const table = await createTableFile(path, tableColumns(request, computer.names));
  const rawFields = [...request];
  const features = new Float32Array(computer.names.length);
  const splits = { train: 0, validation: 0, test: 0 };
  const all = new ContentHash();
  all.add(hashHeader);
  const ofLookups = new ContentHash();
  let positives = 0;

  const addRow = (row: Document, position: number): Promise<void> | undefined => {
    const line = rowLine(row, fields);
    all.add(line);
    const split = position >= window.testFrom ? 2 : position >= window.validationFrom ? 1 : 0;
    const splitName = SPLITS[split];
    const idValue = row[names.id] as unknown;
    const id = typeof idValue === 'string' ? idValue : '';
    const eventTimeMs = (row[names.time] as Date).getTime();
    if (eventTimeMs >= window.lookups.fromMs && eventTimeMs < window.lookups.toMs) ofLookups.add(line);
    const label = (row[names.label] as unknown) === 1 ? 1 : 0;
    const labelTimeMs = (row[names.label_time] as Date).getTime();
    profile.observe({ id, raw: row, label, labelTimeMs, eventTimeMs, split: splitName });
    try {
      if (id === '') throw new FeatureRefusal(`/${names.id}`, 'must be a text');
      if (row[names.label] !== 0 && row[names.label] !== 1)
        throw new FeatureRefusal(`/${names.label}`, 'must be 0 or 1');
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
    } catch (error) {
      if (!(error instanceof FeatureRefusal)) throw error;
      profile.refuse(id, error.path, error.detail);
      return undefined;
    }
    splits[splitName]++;
    positives += label;
    return table.endRow();
  };

  try {
    await streamRows(
      db,
      data,
      window,
      fields,
      async (batch, firstPosition) => {
        for (const [index, row] of batch.entries()) {
          const written = addRow(row, firstPosition + index);
          if (written !== undefined) await written;
        }
      },
      how,
    );
    const { rows } = await table.finish();
    return {
      contentSha256: all.digest(),
      lookupRowsSha256: ofLookups.digest(),
      featureNames: [...computer.names],
      rows,
      positives,
      splits,
      profile,
    };
  } catch (error) {
    await table.abandon();
    throw error;
  }
}
