import { bundleKey } from '../../stores/keys.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import type { PlannedArtifact } from '../../stores/retention/plan.js';
import { claimKey, tombstoneKey } from '../../stores/keys.js';
import { versionsAside } from '../../stores/retention/inventory.js';
import { readReferences, type ReferenceDeps } from '../../stores/retention/references.js';

const AT_ONCE = 8;

/**
 * Deletes one artifact, or says who has named it since it was chosen. Killed at any point, the next attempt goes on.
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

/** Gives back the manifests of bundles that somebody has named while an attempt to delete them was cut short. */
export async function restoreNeeded(deps: ReferenceDeps, model: string): Promise<void> {
  for (const version of await versionsAside(deps.store, model))
    if ((await whyNeeded(deps, model, version)) !== null) await putBack(deps, model, version);
}

async function removeBundle(
  deps: ReferenceDeps,
  model: string,
  version: string,
  keys: readonly string[],
): Promise<string | null> {
  const { store } = deps;
  const manifest = bundleKey(model, version, MANIFEST_FILE);
  if (keys.includes(manifest)) {
    const before = await whyNeeded(deps, model, version);
    if (before !== null) return before;
    await putAside(deps, model, version);
  }
  const since = await whyNeeded(deps, model, version);
  if (since !== null) {
    await putBack(deps, model, version);
    return since;
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
  const grave = tombstoneKey(model, version);
  if ((await store.head(grave)) === null) return;
  await store.copy(grave, bundleKey(model, version, MANIFEST_FILE));
  await store.delete(grave);
}

/** Asked anew each time: pointers, rollback targets, pins and open runs. */
async function whyNeeded(deps: ReferenceDeps, model: string, version: string): Promise<string | null> {
  const { bundles } = await readReferences(deps, model, await versionsAside(deps.store, model));
  return bundles.get(version)?.join('; ') ?? null;
}

/** The first before all others, which are deleted a few at a time. */
async function deleteAll({ store }: ReferenceDeps, keys: readonly string[]): Promise<void> {
  const [first, ...rest] = keys;
  if (first !== undefined) await store.delete(first);
  for (let i = 0; i < rest.length; i += AT_ONCE)
    await Promise.all(rest.slice(i, i + AT_ONCE).map((key) => store.delete(key)));
}
