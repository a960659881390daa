import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleId } from '../../../domain/bundle/id.js';
import { BUNDLE_FILE } from '../../../domain/bundle/layout.js';
import { BundleError, checkFile } from '../../../domain/bundle/manifest.js';
import { columnKinds } from '../../../domain/drift/columns.js';
import { daysOf } from '../../../domain/drift/reference/days.js';
import { profileOf } from '../../../domain/drift/reference/profile.js';
import type { DriftReference } from '../../../domain/drift/types.js';
import type { TrustedKeys } from '../../../domain/dsse/dsse.js';
import { SluiceError } from '../../../platform/errors.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import { validate } from '../../../platform/validate.js';
import type { Manifest, ModelSpec, ReferenceDays, ReferenceProfile } from '../../../schemas/types.js';
import { keepReference, keptReference } from '../../../stores/drift/references.js';
import { snapshotPrefix } from '../../../stores/keys.js';
import { readBundleFile, readManifest } from '../../../stores/manifests.js';
import { loadPublished } from '../../bundle/verify.js';
import { existingSnapshot } from '../../training-data/publish.js';
import { referenceRows } from './rows.js';

/** A bundle by its signed manifest, and what a window is compared with: null for a bundle that has neither snapshot nor profile. */
export interface BundleReference {
  manifest: Manifest;
  reference: DriftReference | null;
}

type Ref = BundleId & { model: string };

type Made = { days: ReferenceDays; profile: ReferenceProfile };

export interface ReferenceDeps {
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  tempDir: string;
}

/**
 * What a window of a bundle's predictions is compared with: its training data through its own lookups, model and thresholds. The profile in the
 * bundle is of the lookups that training made, and a night's refresh puts others beside it; so the days are made from the training snapshot, once
 * per bundle, and kept. Where the snapshot is gone, the bundle's own profile is what is left.
 * @throws SluiceError IntegrityError for a bundle or a snapshot that is damaged
 */
export async function readReference(
  deps: ReferenceDeps,
  spec: ModelSpec,
  ref: Ref,
  signal?: AbortSignal,
): Promise<BundleReference> {
  const { manifest, made } = await referenceOf(deps, spec, ref, signal);
  const profile = made?.profile ?? (await ownProfile(deps.store, ref, manifest));
  if (profile === null) return { manifest, reference: null };
  return {
    manifest,
    reference: {
      model: ref.model,
      modelVersion: manifest.model_version,
      bundleVersion: ref.version,
      profile,
      days: made?.days ?? null,
      earlier: {},
      metrics: manifest.metrics,
    },
  };
}

/**
 * The days of the bundles that answered in a window before the live one did. One that is damaged or gone is left out: its rows are then compared with
 * the live one's days.
 */
export async function earlierDays(
  deps: ReferenceDeps,
  spec: ModelSpec,
  model: string,
  bundles: readonly BundleId[],
  signal?: AbortSignal,
): Promise<Record<string, ReferenceDays>> {
  const found: Record<string, ReferenceDays> = {};
  for (const bundle of bundles) {
    try {
      const { made } = await referenceOf(deps, spec, { model, ...bundle }, signal);
      if (made !== null) found[bundle.version] = made.days;
    } catch (error) {
      const isDamaged =
        error instanceof BundleError || (error instanceof SluiceError && error.type === 'IntegrityError');
      if (!isDamaged) throw error;
    }
  }
  return found;
}

async function referenceOf(
  deps: ReferenceDeps,
  spec: ModelSpec,
  ref: Ref,
  signal: AbortSignal | undefined,
): Promise<{ manifest: Manifest; made: Made | null }> {
  const manifest = await readManifest(deps.store, deps.trustedKeys, ref);
  const kept = await keptReference(deps.store, ref.model, ref.version);
  return { manifest, made: kept ?? (await madeReference(deps, spec, ref, manifest, signal)) };
}

/** From the snapshot that the bundle's model was trained on; null where it is no longer there. */
async function madeReference(
  deps: ReferenceDeps,
  spec: ModelSpec,
  ref: Ref,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<Made | null> {
  const snapshot = await existingSnapshot(deps.store, snapshotPrefix(ref.model, manifest.data_snapshot_id));
  if (snapshot === null) return null;
  const bundle = await loadPublished(deps, spec, ref);
  const directory = await mkdtemp(join(deps.tempDir, 'reference-'));
  try {
    const rows = await referenceRows(deps.store, spec, bundle, snapshot, directory, signal);
    if (rows === null) return null;
    const kinds = columnKinds(bundle.featureRegistry);
    const profile = profileOf(rows, kinds, snapshot.asOf);
    const days: ReferenceDays = {
      format: 2,
      bundle_version: bundle.version,
      model_version: manifest.model_version,
      data_snapshot_id: snapshot.dataSnapshotId,
      profile: { ...profile },
      ...daysOf(rows, kinds, bundle.profile),
    };
    await keepReference(deps.store, ref.model, days);
    return { days, profile };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function ownProfile(store: ObjectStore, ref: Ref, manifest: Manifest): Promise<ReferenceProfile | null> {
  if (manifest.files[BUNDLE_FILE.profile] === undefined) return null;
  const bytes = await readBundleFile(store, ref, BUNDLE_FILE.profile, manifest);
  await checkFile(manifest, BUNDLE_FILE.profile, bytes);
  return validate('reference-profile', JSON.parse(bytes.toString('utf8')), `${ref.version}/${BUNDLE_FILE.profile}`);
}
