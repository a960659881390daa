import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import type { PlannedArtifact } from '../../stores/retention/plan.js';
import { bundleKey, claimKey, tombstoneKey } from '../../stores/keys.js';
import { versionsAside } from '../../stores/retention/inventory.js';
import { openRuns } from '../../stores/retention/open-runs.js';
import { heldBy, storedReferences, type ReferenceDeps } from '../../stores/retention/references.js';

const AT_ONCE = 8;

/**
 * Deletes one artifact, or says who has come to need it since it was chosen. Killed at any point, the next attempt goes on.
 *
 * A bundle's manifest is put aside and deleted first; then the pointers are read once more. Whoever swapped in between either found the manifest
 * missing and was refused, or is seen now, and the manifest goes back: nothing else had been touched.
 */
export async function removeArtifact(
  deps: ReferenceDeps,
  model: string,
  artifact: PlannedArtifact,
): Promise<string | null> {
  const { kind, name, keys } = artifact;
  if (kind === 'bundle' || kind === 'incomplete bundle') return removeBundle(deps, model, name, keys);
  await deleteAll(deps, keys);
  return null;
}

/** Gives back the manifests of bundles that somebody has come to need while an attempt to delete them was cut short. */
export async function restoreNeeded(deps: ReferenceDeps, model: string): Promise<void> {
  const aside = await versionsAside(deps.store, model);
  if (aside.size === 0) return;
  const runs = await openRuns(deps.client, model);
  const stored = await storedReferences(deps, model, aside);
  for (const version of aside)
    if (stored.has(version) || heldBy(runs, version).length > 0) await putBack(deps, model, version);
}

async function removeBundle(
  deps: ReferenceDeps,
  model: string,
  version: string,
  keys: readonly string[],
): Promise<string | null> {
  const { store } = deps;
  const manifest = bundleKey(model, version, MANIFEST_FILE);
  // Running workflows are asked here, once: one that begins after this finds the manifest missing, or is seen through the pointer it swapped.
  const held = heldBy(await openRuns(deps.client, model), version);
  const before = [...(await storedWhy(deps, model, version)), ...held];
  if (before.length > 0) {
    await putBack(deps, model, version);
    return before.join('; ');
  }
  if (keys.includes(manifest)) {
    await putAside(deps, model, version);
    const since = await storedWhy(deps, model, version);
    if (since.length > 0) {
      await putBack(deps, model, version);
      return since.join('; ');
    }
  }
  await deleteAll(
    deps,
    keys.filter((key) => key !== manifest),
  );
  await store.delete(claimKey(model, version));
  await store.delete(tombstoneKey(model, version));
  return null;
}

async function putAside({ store }: ReferenceDeps, model: string, version: string): Promise<void> {
  const manifest = bundleKey(model, version, MANIFEST_FILE);
  // Not there: another run that prunes was faster.
  if ((await store.head(manifest)) === null) return;
  await store.copy(manifest, tombstoneKey(model, version));
  await store.delete(manifest);
}

async function putBack({ store }: ReferenceDeps, model: string, version: string): Promise<void> {
  const tombstone = tombstoneKey(model, version);
  if ((await store.head(tombstone)) === null) return;
  await store.copy(tombstone, bundleKey(model, version, MANIFEST_FILE));
  await store.delete(tombstone);
}

/** Why pointers, rollback targets or pins need a bundle at this moment. */
async function storedWhy(deps: ReferenceDeps, model: string, version: string): Promise<readonly string[]> {
  const stored = await storedReferences(deps, model, await versionsAside(deps.store, model));
  return stored.get(version) ?? [];
}

/** The first before all others, which are deleted a few at a time. */
async function deleteAll({ store }: ReferenceDeps, keys: readonly string[]): Promise<void> {
  const [first, ...rest] = keys;
  if (first !== undefined) await store.delete(first);
  for (let i = 0; i < rest.length; i += AT_ONCE)
    await Promise.all(rest.slice(i, i + AT_ONCE).map((key) => store.delete(key)));
}
