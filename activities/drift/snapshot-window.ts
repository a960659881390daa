import type { Db } from 'mongodb';
import { readableJson } from '../../domain/bundle/digest.js';
import { snapshotOf } from '../../domain/drift/snapshot.js';
import { SluiceError } from '../../platform/errors.js';
import { validate } from '../../platform/validate.js';
import type { DriftSnapshot, ModelSpec } from '../../schemas/types.js';
import type { CompareDeps } from './compare-window.js';
import type { DriftTarget, KeptSnapshot } from './contract.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';
import { documentId } from '../../stores/drift/reports.js';
import { driftPrefix } from '../../stores/keys.js';
import { readWindow, type ReadOptions } from './read-window.js';
import { readReference } from './reference/read.js';

/** A week's columns in figures, kept once per key; nothing is kept of an empty window. */
export async function snapshotWindow(
  deps: CompareDeps,
  spec: ModelSpec,
  target: DriftTarget,
  options: ReadOptions,
): Promise<KeptSnapshot> {
  const snapshotKey = `${driftPrefix(target)}snapshot.json`;
  const stored = await deps.store.get(snapshotKey);
  if (stored !== null) return await keep(deps, target, snapshotKey, stored.bytes);
  const nothing = async (why: string): Promise<KeptSnapshot> => {
    const { model, key, asOf } = target;
    return { model, key, asOf, rows: 0, snapshotKey: null, since: await newestSnapshot(deps.db, target), why };
  };

  const of = { model: target.model, ...target.bundle };
  const { reference } = await readReference(deps, spec, of, options.signal);
  if (reference === null)
    return await nothing(
      `${target.bundle.version} was released before bundles carried a reference profile: release again, \`sluice release start\``,
    );
  const { modelVersion } = reference;
  const { window } = await readWindow(deps.db, spec, { ...target, modelVersion, inputs: [] }, options);
  if (window.bookedAtMs.length === 0)
    return await nothing(`nothing was scored that is booked in ${window.from} to ${window.to}`);
  const bytes = readableJson(snapshotOf(reference, window));
  const outcome = await deps.store.putIfAbsent(snapshotKey, bytes, 'application/json');
  const first = outcome === 'created' ? bytes : (await deps.store.get(snapshotKey))?.bytes;
  if (first === undefined)
    throw new SluiceError('Unreachable', `${snapshotKey} vanished while it was written; try again.`);
  return await keep(deps, target, snapshotKey, first);
}

/** The key of the model's newest snapshot up to `asOf`; null: it has none. */
async function newestSnapshot(db: Db, { model, asOf }: DriftTarget): Promise<string | null> {
  const newest = await openCollection(db, COLLECTIONS.driftSnapshots).findOne(
    { model, as_of: { $lte: new Date(asOf) } },
    { sort: { as_of: -1 } },
  );
  return newest?.key ?? null;
}

async function keep(
  { db }: CompareDeps,
  { model, key, asOf }: DriftTarget,
  snapshotKey: string,
  bytes: Buffer,
): Promise<KeptSnapshot> {
  const snapshot: DriftSnapshot = validate('drift-snapshot', JSON.parse(bytes.toString('utf8')), snapshotKey);
  const document = { model, key, as_of: new Date(asOf), snapshot_key: snapshotKey, snapshot };
  await openCollection(db, COLLECTIONS.driftSnapshots).updateOne(
    { _id: documentId({ model, key }) },
    { $set: document },
    { upsert: true },
  );
  return { model, key, asOf, rows: snapshot.rows, snapshotKey, why: `${snapshot.rows} rows` };
}
