import { planRetention, type RetentionPolicy, type RetentionVerdict } from '../../domain/retention/plan.js';
import { heartbeating } from '../heartbeat.js';
import type { PruneActivities, PruneResult } from './contract.js';
import { takeInventory, versionsAside, type Stored } from './inventory.js';
import { namedBy, readReferences, snapshotsOf, type ReferenceDeps } from './references.js';
import { removeArtifact, restoreNeeded } from './remove.js';

export interface PruneDeps extends ReferenceDeps {
  /** where a run does not say */
  defaults: Pick<RetentionPolicy, 'keep' | 'olderThanDays'>;
}

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

export function createPruneActivities(deps: PruneDeps): PruneActivities {
  return {
    async pruneArtifacts({ model, now, keep = deps.defaults.keep, olderThanDays = deps.defaults.olderThanDays }) {
      const result: PruneResult = { model, deleted: [], spared: [], kept: 0 };
      await heartbeating(
        async (signal) => {
          await restoreNeeded(deps, model);
          const plan = await planPrune(deps, model, { keep, olderThanDays, now });
          result.kept = plan.filter(({ goes }) => !goes).length;
          for (const artifact of plan.filter(({ goes }) => goes)) {
            signal.throwIfAborted();
            const { kind, name, objects, bytes } = artifact;
            const why = await removeArtifact(deps, model, artifact);
            if (why === null) result.deleted.push({ kind, name, objects, bytes });
            else result.spared.push({ kind, name, why });
          }
        },
        () => ({ deleted: result.deleted.length }),
      );
      return result;
    },
  };
}
