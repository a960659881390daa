import { BSON, type Db } from 'mongodb';
import type { LabelledPrediction, Prediction } from '../../domain/predictions/types.js';
import { SluiceError } from '../../platform/errors.js';
import { timedAggregation } from '../../platform/mongo-timing.js';
import { COLLECTIONS, openCollection, PREDICTION_STREAM_INDEX, PREDICTION_TRANSACTION_INDEX } from '../collections.js';
import type { ModelSpec } from '../../schemas/types.js';
import { knownLabels } from './labels.js';
import { newestOfEach } from './newest.js';

const BATCH = 2_000;

/** Which predictions, and from when they are looked at. Times are ISO. */
export interface PredictionWindow {
  model: string;
  /** left out: of every version */
  modelVersion?: string;
  environment: string;
  /** booked at or after */
  from: string;
  /** booked before */
  to: string;
  /** fields of the request to read as well */
  inputs?: readonly string[];
  /** Labels that became known later do not exist, nor those of transactions that were younger than the spec's maturity. */
  asOf: string;
}

/** With the bundle that answered, and those fields of the request that the window asks for. */
export type StreamedPrediction = LabelledPrediction &
  Partial<Pick<Prediction, 'bundle_version' | 'manifest_sha256' | 'input'>>;

export interface StreamOptions {
  signal?: AbortSignal;
  /** predictions handed over so far */
  onProgress?: (done: number) => void;
}

/** What a prediction is read with; the log's input and versions stay where they are. */
type Row = Pick<Prediction, '_id' | 'bundle_version' | 'manifest_sha256'> &
  Partial<Pick<Prediction, 'input'>> &
  Omit<LabelledPrediction, 'label'>;

const PROJECTION: Readonly<Record<Exclude<keyof Row, 'input'>, 1>> = {
  _id: 1,
  transaction_id: 1,
  booked_at: 1,
  scored_at: 1,
  model_version: 1,
  bundle_version: 1,
  manifest_sha256: 1,
  features: 1,
  segment: 1,
  score: 1,
  calibrated_probability: 1,
  decision: 1,
};

/**
 * Every transaction of the window that was scored, in order of booking, with its newest scoring and its label as it was known at `asOf`: from
 * feedback if there is any, else from the model's own collection, else null. Of one booked within the label maturity before `asOf` the label is
 * null as well, since so early only frauds have one. Holds one batch at a time, whatever the window.
 * @param data of the model's spec
 * @param each may take its time: the next batch waits for it
 * @throws SluiceError InvalidInput for times that are none; Unreachable
 */
export async function streamPredictions(
  db: Db,
  data: ModelSpec['data'],
  window: PredictionWindow,
  each: (batch: StreamedPrediction[]) => Promise<void> | void,
  { signal, onProgress }: StreamOptions = {},
): Promise<void> {
  const asOf = instant('asOf', window.asOf);
  const filter = filterOf(window);
  let done = 0;
  const handOver = async (scorings: Row[]): Promise<void> => {
    const rows = newestOfEach(scorings);
    const [elsewhere, labelOf] = await Promise.all([
      newestElsewhere(db, filter, rows, scorings.length),
      knownLabels(db, data, rows, asOf),
    ]);
    const batch: StreamedPrediction[] = [];
    for (const { _id, ...row } of rows) {
      // Booked at another time as well, and scored after this: that one counts, in its place.
      if ((elsewhere.get(row.transaction_id) ?? _id) !== _id) continue;
      batch.push({ ...row, label: labelOf(row) });
    }
    if (batch.length > 0) await each(batch);
    done += batch.length;
    onProgress?.(done);
  };

  const cursor = openCollection(db, COLLECTIONS.predictions).find(filter, {
    projection: {
      ...PROJECTION,
      ...Object.fromEntries((window.inputs ?? []).map((name) => [`input.${name}`, 1])),
    },
    sort: PREDICTION_STREAM_INDEX,
    hint: PREDICTION_STREAM_INDEX,
    batchSize: BATCH,
    // The driver's own unpacking takes twice as long as the library it uses.
    raw: true,
  });
  const read = async (): Promise<Row[]> =>
    (await cursor.hasNext())
      ? cursor
          .readBufferedDocuments(BATCH)
          .map((bytes) => BSON.deserialize(bytes as unknown as Uint8Array, { validation: { utf8: false } }) as Row)
      : [];
  let reading = read();
  try {
    // Those of the last transaction wait for the next batch, which may have more of them.
    let open: Row[] = [];
    for (let rows = await reading; rows.length > 0; rows = await reading) {
      signal?.throwIfAborted();
      // The database looks for the next batch while this one is worked on.
      reading = read();
      // A rejection is met at the next await; until then it must not count as unhandled.
      reading.catch(() => undefined);
      const scorings = [...open, ...rows];
      const last = scorings[scorings.length - 1]?.transaction_id;
      open = scorings.splice(scorings.findLastIndex((row) => row.transaction_id !== last) + 1);
      if (scorings.length > 0) await handOver(scorings);
    }
    if (open.length > 0) await handOver(open);
  } finally {
    await reading.catch(() => undefined);
    await cursor.close();
  }
}

function filterOf({ model, modelVersion, environment, from, to }: PredictionWindow) {
  return {
    model,
    environment,
    booked_at: { $gte: instant('from', from), $lt: instant('to', to) },
    ...(modelVersion === undefined ? {} : { model_version: modelVersion }),
  };
}

/**
 * Of those transactions that the window has under several booking times (someone corrected one and had it scored again), the newest scoring's
 * `_id`. There is hardly ever one, which the index tells by a count alone.
 * @param read how many scorings were read of these rows
 */
async function newestElsewhere(
  db: Db,
  filter: ReturnType<typeof filterOf>,
  rows: readonly Row[],
  read: number,
): Promise<ReadonlyMap<string, string>> {
  const predictions = openCollection(db, COLLECTIONS.predictions);
  const ids = [...new Set(rows.map((row) => row.transaction_id))];
  const { model, environment, booked_at } = filter;
  const all = { transaction_id: { $in: ids }, model, environment, booked_at };
  const hint = PREDICTION_TRANSACTION_INDEX;
  if (ids.length === rows.length && (await predictions.countDocuments(all, { hint })) === read) return new Map();
  const pipeline = [
    { $match: all },
    { $group: { _id: '$transaction_id', first: { $min: '$booked_at' }, last: { $max: '$booked_at' } } },
    { $match: { $expr: { $ne: ['$first', '$last'] } } },
    { $project: { _id: 1 } },
  ];
  const several = await timedAggregation(predictions.collectionName, () =>
    predictions.aggregate<{ _id: string }>(pipeline, { hint }).toArray(),
  );
  if (several.length === 0) return new Map();
  const scorings = await predictions
    .find(
      { ...filter, transaction_id: { $in: several.map(({ _id }) => _id) } },
      {
        projection: { transaction_id: 1, scored_at: 1 },
        sort: { transaction_id: 1 },
        hint,
      },
    )
    .toArray();
  return new Map(newestOfEach(scorings).map(({ transaction_id, _id }) => [transaction_id, _id]));
}

function instant(name: string, text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new SluiceError('InvalidInput', `${name} must be an ISO time, not ${JSON.stringify(text)}`);
  return at;
}
