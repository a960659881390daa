import { planRetention, type RetentionPolicy, type RetentionVerdict } from '../../domain/retention/plan.js';
import { takeInventory, versionsAside, type Stored } from './inventory.js';
import { namedBy, readReferences, snapshotsOf, type ReferenceDeps } from './references.js';

export type PlannedArtifact = RetentionVerdict & Pick<Stored, 'keys'>;

/** What would go and why each other stays, oldest first. Changes nothing. */
export async function planPrune(
  deps: ReferenceDeps,
  model: string,
  policy: RetentionPolicy,
): Promise<PlannedArtifact[]> {
  const artifacts = await takeInventory(deps.store, model);
  const references = await readReferences(deps, model, await versionsAside(deps.store, model));
  const plan = (kept: ReadonlyMap<string, string>) =>
    planRetention(artifacts, namedBy(references, kept), policy) as PlannedArtifact[];
  // Which snapshots are needed follows from which bundles stay.
  const bundles = plan(new Map()).filter(({ kind, goes }) => kind === 'bundle' && !goes);
  return plan(
    await snapshotsOf(
      deps.store,
      model,
      bundles.map(({ name }) => name),
    ),
  );
}
