import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import type { LoadedBundle } from '../../../domain/bundle/load.js';
import { DAY_MS } from '../../../domain/drift/calendar.js';
import type { ReferenceRows } from '../../../domain/drift/reference/rows.js';
import { requestFields } from '../../../domain/features/check-model.js';
import { compileFeatures } from '../../../domain/features/compile.js';
import { FeatureRefusal } from '../../../domain/features/refusal.js';
import type { SnapshotRef } from '../../../domain/release/types.js';
import { compileDecision } from '../../../domain/scoring-decision/decide.js';
import { compileIsotonic } from '../../../domain/scoring-decision/isotonic.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import type { ModelSpec } from '../../../schemas/types.js';
import { snapshotLookups } from '../../training-data/snapshot-lookups.js';
import { openClassifier } from './classifier.js';

/** A quarter of a year: enough weeks to see how weeks differ, and recent enough to be like the next. */
const DAYS = 91;
/** More rows make nothing clearer; every n-th of a larger table is taken. */
const MAX_ROWS = 300_000;
const BATCH_ROWS = 20_000;
const RAW = 'raw.';
const TRAIN = 0;

/**
 * The newest whole days of a training snapshot through a bundle: features by its registry and lookups, scores by its model, alerts by its thresholds
 * and rules. A row that the bundle refuses is left out: it would not have been scored either.
 * @returns null for a snapshot without a whole day
 */
export async function referenceRows(
  store: ObjectStore,
  spec: ModelSpec,
  bundle: LoadedBundle,
  snapshot: SnapshotRef,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ReferenceRows | null> {
  const source = join(directory, 'snapshot.parquet');
  const [lookups, classifier] = await Promise.all([
    snapshotLookups(store, spec, snapshot, bundle.lookups),
    openClassifier(bundle.pipelineOnnx),
    store.getToFile(snapshot.parquetKey, source),
  ]);
  try {
    const computer = compileFeatures(bundle.featureRegistry, lookups);
    const calibrate = compileIsotonic(bundle.isotonic);
    const { thresholds, rules } = bundle;
    const decide = compileDecision({ thresholds, rules, featureNames: computer.names });
    const columns = new ReferenceColumns(computer.names, textsOf(bundle));
    const file = await asyncBufferFromFile(source);
    const metadata = await parquetMetadataAsync(file);
    const raw = metadata.schema.map(({ name }) => name).filter((name) => name.startsWith(RAW));
    const to = Math.floor(Date.parse(snapshot.to) / DAY_MS) * DAY_MS;
    const from = Math.max(Math.ceil(Date.parse(snapshot.from) / DAY_MS) * DAY_MS, to - DAYS * DAY_MS);
    const total = Number(metadata.num_rows);
    const every = Math.max(1, Math.ceil(total / MAX_ROWS));
    const width = computer.names.length;
    for (let rowStart = 0; rowStart < total; rowStart += BATCH_ROWS) {
      signal?.throwIfAborted();
      const rowEnd = Math.min(rowStart + BATCH_ROWS, total);
      const wanted = ['booked_at', 'label', 'split', ...raw];
      const batch = await parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd });
      const features = new Float32Array(batch.length * width);
      const kept: Kept[] = [];
      batch.forEach((row, i) => {
        const at = Number(row['booked_at']);
        if (at < from || at >= to || (rowStart + i) % every !== 0) return;
        const transaction = Object.fromEntries(raw.map((name) => [name.slice(RAW.length), row[name] as unknown]));
        try {
          const { derived } = computer.computeInto(transaction, features, kept.length * width);
          const segment = derived[spec.segment];
          kept.push({
            at,
            transaction,
            label: row['label'] as number,
            heldOut: row['split'] !== TRAIN,
            segment: typeof segment === 'string' ? segment : null,
          });
        } catch (error) {
          if (!(error instanceof FeatureRefusal)) throw error;
        }
      });
      const scores = await classifier.score(features.subarray(0, kept.length * width), width);
      kept.forEach((row, i) => {
        const calibrated = calibrate(scores[i] ?? NaN);
        const { decision } = decide({ calibrated, segment: row.segment, values: features, offset: i * width });
        columns.add(row, features, i * width, calibrated, decision === 'alert');
      });
    }
    return columns.rows === 0 ? null : columns.done();
  } finally {
    await classifier.close();
  }
}

/** Fields of the request that hold text and that a feature is made from. */
function textsOf({ featureRegistry, requestSchema }: LoadedBundle): string[] {
  const used = new Set(featureRegistry.features.flatMap(({ sources }) => sources));
  return [...requestFields(requestSchema)].flatMap(([name, type]) =>
    type === 'string' && used.has(name) ? [name] : [],
  );
}

interface Kept {
  at: number;
  transaction: Record<string, unknown>;
  label: number;
  heldOut: boolean;
  segment: string | null;
}

class ReferenceColumns {
  rows = 0;
  readonly #bookedAtMs: number[] = [];
  readonly #calibrated: number[] = [];
  readonly #alerts: number[] = [];
  readonly #labels: number[] = [];
  readonly #heldOut: number[] = [];
  readonly #segments: (string | null)[] = [];
  readonly #features: number[][];
  readonly #inputs: Record<string, (string | null)[]>;
  /** one copy of each text */
  readonly #texts = new Map<string, string>();

  constructor(
    private readonly names: readonly string[],
    texts: readonly string[],
  ) {
    this.#features = names.map(() => []);
    this.#inputs = Object.fromEntries(texts.map((name) => [name, []]));
  }

  add(row: Kept, values: Float32Array, offset: number, calibrated: number, isAlert: boolean): void {
    this.rows++;
    this.#bookedAtMs.push(row.at);
    this.#calibrated.push(calibrated);
    this.#alerts.push(isAlert ? 1 : 0);
    this.#labels.push(row.label);
    this.#heldOut.push(row.heldOut ? 1 : 0);
    this.#segments.push(row.segment);
    this.#features.forEach((column, i) => column.push(values[offset + i] ?? NaN));
    for (const [name, column] of Object.entries(this.#inputs)) column.push(this.#shared(row.transaction[name]));
  }

  done(): ReferenceRows {
    return {
      bookedAtMs: this.#bookedAtMs,
      features: Object.fromEntries(this.names.map((name, i) => [name, this.#features[i] ?? []])),
      inputs: this.#inputs,
      calibrated: this.#calibrated,
      alerts: this.#alerts,
      labels: this.#labels,
      heldOut: this.#heldOut,
      segments: this.#segments,
    };
  }

  #shared(text: unknown): string | null {
    if (typeof text !== 'string') return null;
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }
}
