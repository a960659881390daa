import type { RowChunk } from '../../domain/columns/row-chunk.js';
import { NO_TEXT } from '../../domain/columns/text-column.js';
import type { RequestFields } from '../../domain/features/check.js';
import { compileFeatures, type FeatureComputer, type Lookups } from '../../domain/features/compile.js';
import { compileColumns, type ColumnComputer } from '../../domain/features/compile-columns.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import type { ProfileBuilder } from '../../domain/data-quality/profile.js';
import type { LoadedModel } from '../../platform/models.js';
import { SPLITS, splitAt, tableColumns } from './columns.js';
import type { FeatureSpool } from './feature-spool.js';
import { createColumnFile } from './parquet/column-file.js';
import type { ColumnValues } from './parquet/columns.js';
import { picked, rawColumns, textsOf } from './raw-columns.js';
import { eachChunk, type PassOptions, type RowSpool } from './row-spool.js';
import type { Splits } from './window.js';

export interface TableResult {
  featureNames: string[];
  /** rows in the table */
  rows: number;
  positives: number;
  splits: Record<(typeof SPLITS)[number], number>;
}

/** Every row through the features into a Parquet file, chunk by chunk, and what became of it into the profile. */
export async function tablePass(
  spool: RowSpool,
  chunk: RowChunk,
  model: LoadedModel,
  splits: Splits,
  request: RequestFields,
  lookups: Lookups,
  profile: ProfileBuilder,
  featureSpool: FeatureSpool,
  path: string,
  how: PassOptions,
): Promise<TableResult> {
  const { fields } = model.spec.data;
  const rowWise = compileFeatures(model.registry, lookups);
  const featureNames = [...rowWise.names];
  const work: ChunkWork = {
    chunk,
    columns: compileColumns(model.registry, lookups, chunk.capacity),
    rowWise,
    profile,
    segments: new Map(),
    fields,
    segment: model.spec.segment,
  };
  const result: TableResult = { featureNames, rows: 0, positives: 0, splits: { train: 0, validation: 0, test: 0 } };
  const file = await createColumnFile(path, tableColumns(request, featureNames));
  try {
    await eachChunk(
      spool,
      chunk,
      async () => {
        const kept = computeChunk(work);
        const labelColumn = chunk.numbersOf(fields.label);
        const labels = new Int32Array(kept.length);
        const splitColumn = new Int32Array(kept.length);
        for (let row = 0, at = 0; row < chunk.rows; row++) {
          const split = splitAt(splits, chunk.firstPosition + row);
          profile.observeSplit(SPLITS[split], labelColumn[row]);
          if (kept[at] !== row) continue;
          splitColumn[at] = split;
          labels[at++] = labelColumn[row] ?? 0;
          result.positives += labelColumn[row] ?? 0;
          result.splits[SPLITS[split]]++;
        }
        if (kept.length === 0) return;
        const raw = rawColumns(chunk, request).map((values) => picked(values, kept));
        const features = work.columns.features.map((values) => values.subarray(0, chunk.rows));
        const featureValues = features.map((numbers) => picked({ numbers }, kept));
        const id = raw[[...request.keys()].indexOf(fields.id)];
        if (id === undefined) throw new RangeError(`${fields.id} is no field of the request`);
        await file.writeGroup([
          id,
          picked({ numbers: chunk.numbersOf(fields.time).subarray(0, chunk.rows) }, kept),
          { numbers: labels },
          { numbers: splitColumn },
          picked(segmentsOf(work), kept),
          ...raw,
          ...featureValues,
        ]);
        await featureSpool.write(featureValues.map(floats));
      },
      how,
    );
    const { rows } = await file.finish();
    return { ...result, rows };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

interface ChunkWork {
  chunk: RowChunk;
  columns: ColumnComputer;
  rowWise: FeatureComputer;
  profile: ProfileBuilder;
  /** of rows that were computed one by one */
  segments: Map<number, string | null>;
  fields: LoadedModel['spec']['data']['fields'];
  /** name of the derived value */
  segment: string;
}

/** Computes the features of a chunk and tells the profile. @returns the rows that go into the table */
function computeChunk({ chunk, columns, rowWise, profile, segments, fields, segment }: ChunkWork): Int32Array {
  columns.compute(chunk);
  segments.clear();
  const ids = chunk.textsOf(fields.id);
  const labels = chunk.numbersOf(fields.label);
  const idOf = (row: number): string => {
    const id = ids.ids[row] ?? NO_TEXT;
    return id === NO_TEXT ? '' : ids.textOf(id);
  };
  const isNameless = ids.starts.findIndex((start, id) => id < ids.size && start === ids.starts[id + 1]);
  for (let row = 0; row < chunk.rows; row++)
    if ((labels[row] !== 0 && labels[row] !== 1) || ids.ids[row] === isNameless) columns.marked[row] = 1;
  profile.acceptColumns(columns, chunk.rows);

  const kept = new Int32Array(chunk.rows);
  const values = new Float32Array(rowWise.names.length);
  let count = 0;
  for (let row = 0; row < chunk.rows; row++) {
    if (columns.marked[row] === 0) {
      kept[count++] = row;
      continue;
    }
    const id = idOf(row);
    const document = chunk.row(row);
    try {
      if (id === '') throw new FeatureRefusal(`/${fields.id}`, 'must be a text');
      if (document[fields.label] !== 0 && document[fields.label] !== 1)
        throw new FeatureRefusal(`/${fields.label}`, 'must be 0 or 1');
      const { derived, notices } = rowWise.computeInto(document, values, 0);
      profile.accept(derived, notices);
      segments.set(row, (derived[segment] as string | null | undefined) ?? null);
      columns.features.forEach((column, feature) => (column[row] = values[feature] ?? NaN));
      kept[count++] = row;
    } catch (error) {
      if (!(error instanceof FeatureRefusal)) throw error;
      profile.refuse(id, error.path, error.detail);
    }
  }
  return kept.subarray(0, count);
}

function segmentsOf({ chunk, columns, segments, segment }: ChunkWork): ColumnValues {
  const derived = columns.texts.get(segment);
  if (derived === undefined) throw new RangeError(`${segment} is no derived text`);
  const texts = [...derived.texts];
  const ids = derived.ids.slice(0, chunk.rows);
  for (const [row, text] of segments) {
    const known = text === null ? NO_TEXT : texts.indexOf(text);
    ids[row] = text !== null && known < 0 ? texts.push(text) - 1 : known;
  }
  return { texts: textsOf(texts), ids };
}

function floats(values: ColumnValues): Float32Array {
  if ('numbers' in values && values.numbers instanceof Float32Array) return values.numbers;
  throw new RangeError('features are floats');
}
