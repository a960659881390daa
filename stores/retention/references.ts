import type { Client } from '@temporalio/client';
import { bundleKey } from '../keys.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { PROOF_LIMIT } from '../../domain/bundle/limits.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { ENVIRONMENTS } from '../../domain/pointer/environments.js';
import type { StoredArtifact } from '../../domain/retention/plan.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { readManifest } from '../manifests.js';
import type { RolloutVerdicts } from '../rollout-verdicts.js';
import { fetchPointer } from '../pointers.js';
import { openRuns, type OpenRun } from './open-runs.js';
import type { Pins } from './pins.js';

export interface ReferenceDeps {
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  client: Client;
  pins: Pins;
  lastGood: RolloutVerdicts['lastGood'];
}

/** Who needs what, at this moment. */
export interface References {
  /** why a bundle is needed, by version */
  bundles: ReadonlyMap<string, readonly string[]>;
  /** oldest first */
  runs: readonly OpenRun[];
}

/** Everything that says which bundles are needed: what is stored, and what running workflows hold. */
export async function readReferences(
  deps: ReferenceDeps,
  model: string,
  aside: ReadonlySet<string> = new Set(),
): Promise<References> {
  // In this order: a run that ends in between has left what it did in the pointers.
  const runs = await openRuns(deps.client, model);
  return { bundles: await storedReferences(deps, model, aside), runs };
}

/**
 * Reads every pointer, the parents of what they name, the rollback targets and the pins: why a bundle is needed, by version.
 * @param aside bundles whose manifest is put aside at the moment: a pointer that names one is no damage
 * @throws SluiceError IntegrityError when a pointer or the bundle it names cannot be believed: nothing may be deleted then
 */
export async function storedReferences(
  deps: ReferenceDeps,
  model: string,
  aside: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const bundles = new Map<string, string[]>();
  const name = (version: string | null | undefined, why: string): void => {
    if (version !== null && version !== undefined) bundles.set(version, [...(bundles.get(version) ?? []), why]);
  };
  for (const environment of ENVIRONMENTS) {
    const found = await fetchPointer(deps.store, deps.trustedKeys, { model, environment });
    if (found === null) continue;
    const { pointer } = found;
    const named = [
      { what: `live in ${environment}`, version: pointer.version, manifestSha256: pointer.manifest_sha256 },
      ...(pointer.candidate === null
        ? []
        : [
            {
              what: `candidate in ${environment}`,
              version: pointer.candidate.version,
              manifestSha256: pointer.candidate.manifest_sha256,
            },
          ]),
    ];
    for (const { what, version, manifestSha256 } of named) {
      name(version, what);
      if (aside.has(version)) continue;
      const manifest = await readManifest(deps.store, deps.trustedKeys, { model, version, manifestSha256 });
      name(manifest.parent_version, `parent of what is ${what}`);
    }
    name(pointer.previous_version, `live in ${environment} before`);
    const target = await deps.lastGood({ model, environment });
    name(target?.version, `where a rollback of ${environment} goes`);
  }
  for (const { version, actor, reason } of await deps.pins.of(model)) name(version, `pinned by ${actor}: ${reason}`);
  return bundles;
}

/** Why running workflows need a bundle. One that has not said what it holds may need any. */
export function heldBy(runs: readonly OpenRun[], version: string): string[] {
  return runs.flatMap(({ workflowId, holds }) => {
    if (holds === null) return [`${workflowId} is running and does not say which bundles it needs`];
    return holds.includes(version) ? [`held by ${workflowId}`] : [];
  });
}

/** Why an artifact is needed; empty when it is not. What was made since the oldest open run began may be that run's own. */
export function namedBy(
  references: References,
  kept: ReadonlyMap<string, string>,
): (artifact: StoredArtifact) => string[] {
  return ({ kind, name, createdAt }) => [
    ...(kind === 'bundle' || kind === 'incomplete bundle'
      ? [...(references.bundles.get(name) ?? []), ...heldBy(references.runs, name)]
      : []),
    ...(kind === 'snapshot' && kept.has(name) ? [`data of bundle ${kept.get(name)}`] : []),
    ...references.runs
      .filter(({ startedAt }) => createdAt >= startedAt.slice(0, 19))
      .slice(0, 1)
      .map(({ workflowId }) => `made since ${workflowId} began`),
  ];
}

/** The snapshot behind each of these bundles. */
export async function snapshotsOf(
  store: Pick<ObjectStore, 'get'>,
  model: string,
  versions: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const version of versions) {
    const manifest = await store.get(bundleKey(model, version, MANIFEST_FILE), PROOF_LIMIT[MANIFEST_FILE]);
    if (manifest === null) continue;
    try {
      found.set(
        (JSON.parse(manifest.bytes.toString('utf8')) as { data_snapshot_id: string }).data_snapshot_id,
        version,
      );
    } catch {
      throw new SluiceError(
        'IntegrityError',
        `The manifest of ${model}/${version} is no JSON: find out what damaged it before anything is pruned.`,
      );
    }
  }
  return found;
}
