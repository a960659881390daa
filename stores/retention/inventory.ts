import { bundlesPrefix, refreshesPrefix, snapshotsPrefix, tombstonesPrefix } from '../keys.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { parseBundleVersion } from '../../domain/bundle/version.js';
import type { StoredArtifact } from '../../domain/retention/plan.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore, StoredObject } from '../../platform/object-store.js';

export interface Stored extends StoredArtifact {
  /** in the order in which they are deleted: first what makes the rest visible */
  keys: string[];
}

/** Versions whose manifest is put aside: an attempt to delete them was cut short. */
export async function versionsAside(store: Pick<ObjectStore, 'list'>, model: string): Promise<Set<string>> {
  const prefix = tombstonesPrefix(model);
  const tombstones = await store.list(prefix);
  return new Set(tombstones.map(({ key }) => key.slice(prefix.length).split('/')[0] ?? ''));
}

/** Everything of a model that may ever go. Pointers lie beside the bundles' folders and are no part of it. */
export async function takeInventory(store: Pick<ObjectStore, 'list'>, model: string): Promise<Stored[]> {
  const [bundles, aside, refreshed, snapshots] = await Promise.all([
    store.list(bundlesPrefix(model)),
    versionsAside(store, model),
    store.list(refreshesPrefix(model)),
    store.list(snapshotsPrefix(model)),
  ]);
  const inBundles = bundles.filter(({ key }) => key.slice(bundlesPrefix(model).length).includes('/'));
  return [
    ...bundlesOf(model, inBundles, aside),
    ...groups(refreshed, refreshesPrefix(model), 2).map(([name, objects]) =>
      whole('refreshed artifact', name, `refresh/${name.split('/')[1] ?? ''}`, objects, (key) =>
        key.endsWith('.result.json'),
      ),
    ),
    ...groups(snapshots, snapshotsPrefix(model), 1).map(([name, objects]) =>
      whole('snapshot', name, 'snapshot', objects, (key) => key.endsWith('/snapshot.json')),
    ),
  ];
}

function bundlesOf(model: string, objects: readonly StoredObject[], aside: ReadonlySet<string>): Stored[] {
  const found = new Map(groups(objects, bundlesPrefix(model), 1));
  return [...new Set([...found.keys(), ...aside])].map((version) => {
    const own = found.get(version) ?? [];
    const complete = own.some(({ key }) => key.endsWith(`/${MANIFEST_FILE}`));
    const { createdAt } = parseBundleVersion(version);
    const stored = whole('bundle', version, complete ? 'bundle' : null, own, (key) =>
      key.endsWith(`/${MANIFEST_FILE}`),
    );
    return {
      ...stored,
      kind: complete ? 'bundle' : 'incomplete bundle',
      createdAt,
    };
  });
}

/** Objects by the first so many parts of their key below a prefix. */
function groups(objects: readonly StoredObject[], prefix: string, depth: number): [string, StoredObject[]][] {
  const found = new Map<string, StoredObject[]>();
  for (const object of objects) {
    const parts = object.key.slice(prefix.length).split('/');
    if (parts.length <= depth)
      throw new SluiceError(
        'IntegrityError',
        `${object.key} is no object that Sluice writes there: move it, then prune again.`,
      );
    const name = parts.slice(0, depth).join('/');
    found.set(name, [...(found.get(name) ?? []), object]);
  }
  return [...found];
}

function whole(
  kind: Stored['kind'],
  name: string,
  series: string | null,
  objects: readonly StoredObject[],
  isFirst: (key: string) => boolean,
): Stored {
  const keys = objects.map(({ key }) => key);
  return {
    kind,
    name,
    series,
    // as young as its youngest part
    createdAt:
      objects
        .map(({ modifiedAt }) => modifiedAt)
        .sort()
        .at(-1) ?? '',
    objects: objects.length,
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    keys: [...keys.filter(isFirst), ...keys.filter((key) => !isFirst(key))],
  };
}
