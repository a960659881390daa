import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { checkFile } from '../../domain/bundle/manifest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { compileFeatures, type FeatureComputer } from '../../domain/features/compile.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { ModelSpec } from '../../schemas/types.js';
import { readBundleFile, readManifest } from '../../stores/manifests.js';
import { createTableFile } from './table-file.js';
import { comparisonColumns, SPLITS } from './columns.js';
import { comparisonKey } from '../../stores/keys.js';
import { snapshotLookups } from './snapshot-lookups.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface ChampionDeps {
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  tempDir: string;
}

const BATCH_ROWS = 20_000;
const RAW = 'raw.';

/**
 * The held-out rows of a snapshot through another bundle's features and lookups, as Parquet. Rates are the snapshot's own: they are facts of
 * the booking day, and a bundle carries only as many old ones as late transactions need.
 * @throws SluiceError IntegrityError for a damaged bundle; InvalidInput when the bundle refuses a row, since then the two cannot be compared
 */
export async function writeBundleFeatures(
  { store, trustedKeys, tempDir }: ChampionDeps,
  spec: ModelSpec,
  input: { snapshot: SnapshotRef; bundle: BundleId; releaseId: string },
  how: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<{ parquetKey: string }> {
  const { snapshot, bundle, releaseId } = input;
  const directory = await mkdtemp(join(tempDir, 'champion-'));
  try {
    const source = join(directory, 'snapshot.parquet');
    const target = join(directory, 'comparison.parquet');
    const [computer] = await Promise.all([
      bundleFeatures(store, trustedKeys, spec, snapshot, bundle),
      store.getToFile(snapshot.parquetKey, source),
    ]);
    await convert(source, target, computer, { segment: spec.segment, version: bundle.version }, how);
    const parquetKey = comparisonKey(releaseId, bundle.version);
    await store.putFile(parquetKey, target, 'application/vnd.apache.parquet');
    return { parquetKey };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The feature computer that a published bundle describes, every file of it checked against its signed manifest. */
async function bundleFeatures(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  spec: ModelSpec,
  snapshot: SnapshotRef,
  bundle: BundleId,
): Promise<FeatureComputer> {
  const ref = { model: spec.model, ...bundle };
  const manifest = await readManifest(store, trustedKeys, ref);
  const read = async <N extends SchemaName>(schema: N, file: string) => {
    const bytes = await readBundleFile(store, ref, file, manifest);
    await checkFile(manifest, file, bytes);
    return validate(schema, JSON.parse(bytes.toString('utf8')), `${bundle.version}/${file}`);
  };
  const registry = await read('feature-registry', BUNDLE_FILE.featureRegistry);
  const lookups: Record<string, unknown> = {};
  for (const [name, { file, schema }] of Object.entries(spec.lookups))
    lookups[name] = await read(schema as SchemaName, file);
  return compileFeatures(registry, await snapshotLookups(store, spec, snapshot, lookups));
}

async function convert(
  source: string,
  target: string,
  computer: FeatureComputer,
  { segment, version }: { segment: string; version: string },
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<void> {
  const file = await asyncBufferFromFile(source);
  const metadata = await parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  const columns = metadata.schema.map(({ name }) => name).filter((name) => name.startsWith(RAW));
  const heldOut = SPLITS.indexOf('test');
  const features = new Float32Array(computer.names.length);
  const table = await createTableFile(target, comparisonColumns(computer.names));
  try {
    for (let rowStart = 0; rowStart < rows; rowStart += BATCH_ROWS) {
      signal?.throwIfAborted();
      const batch = await parquetReadObjects({
        file,
        metadata,
        columns: ['row_id', 'booked_at', 'label', 'split', ...columns],
        rowStart,
        rowEnd: Math.min(rowStart + BATCH_ROWS, rows),
      });
      for (const row of batch) {
        if (row['split'] !== heldOut) continue;
        const raw = Object.fromEntries(columns.map((name) => [name.slice(RAW.length), row[name] as unknown]));
        const rowId = row['row_id'] as string;
        const { derived } = refusalNamed(rowId, version, () => computer.computeInto(raw, features, 0));
        let column = 0;
        const put = (value: string | number | bigint | null): void => table.set(column++, value);
        put(rowId);
        put(row['booked_at'] as bigint);
        put(row['label'] as number);
        put(heldOut);
        put((derived[segment] as string | null | undefined) ?? null);
        for (const value of features) put(value);
        await table.endRow();
      }
      onProgress(Math.min(1, (rowStart + BATCH_ROWS) / rows));
    }
    await table.finish();
  } catch (error) {
    await table.abandon();
    throw error;
  }
}

function refusalNamed<T>(rowId: string, version: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof FeatureRefusal)) throw error;
    throw new SluiceError(
      'InvalidInput',
      `bundle ${version} refuses the held-out row ${rowId}: ${error.message}. It cannot be compared on the same rows.`,
    );
  }
}
