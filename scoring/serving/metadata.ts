import { ageDays } from '../../domain/fx/age.js';
import type { OpenBundle, Rates } from '../bundles/open-bundle.js';
import type { ServingSet } from '../traffic/serving-set.js';
import type { BundleFacts, Metadata } from './api-schemas.js';
import type { ReplicaState } from './control-view.js';
import { versionsOf } from './versions.js';

/** What is live here: the champion's facts, the candidate's beside them, and how the set came here. */
export function metadataOf(
  set: ServingSet,
  replica: { id: string; environment: string },
  { predictionLog, staleSince }: Pick<ReplicaState, 'predictionLog' | 'staleSince'>,
): Metadata {
  const { origin, champion, candidate } = set;
  return {
    ...bundleFacts(champion),
    candidate:
      candidate === null
        ? null
        : { ...bundleFacts(candidate.bundle), weight: candidate.weight, salt: candidate.salt, mode: candidate.mode },
    replica: replica.id,
    environment: replica.environment,
    generation: origin.generation,
    from: origin.from,
    loaded_at: set.since,
    stale_since: staleSince,
    prediction_log: predictionLog,
  };
}

function bundleFacts(bundle: OpenBundle): BundleFacts {
  const { loaded, rates } = bundle;
  const { manifest, thresholds, lookupVersions } = loaded;
  const { model, model_version, bundle_version, manifest_sha256, thresholds_sha256, fx_last_updated } = versionsOf(
    bundle,
    null,
  );
  return {
    model,
    model_version,
    mlflow_run_id: manifest.mlflow_run_id,
    git_sha: manifest.git_sha,
    trained_at: manifest.trained_at,
    as_of: manifest.as_of,
    data_snapshot_id: manifest.data_snapshot_id,
    release_id: manifest.release_id,
    bundle_version,
    parent_version: manifest.parent_version,
    manifest_sha256,
    content_sha256: manifest.content_sha256,
    artifact_checksums: Object.fromEntries(Object.entries(manifest.files).map(([file, { sha256 }]) => [file, sha256])),
    thresholds_sha256,
    thresholds: thresholds.operating,
    lookups: Object.fromEntries(
      Object.entries(lookupVersions).map(([name, { version, sha256, as_of, created_at }]) => [
        name,
        { version, sha256, as_of, created_at },
      ]),
    ),
    fx_last_updated,
    fx: rates === null ? null : { ...datesOf(rates), age_days: ageDays(rates.fixing_date, Date.now()) },
    metrics: manifest.metrics,
    engine: bundle.models.engine,
    kernel_refusal: bundle.models.kernelRefusal,
  };
}

/** The lookup has its tables beside them. */
function datesOf({ last_updated, fixing_date }: Rates): Rates {
  return { last_updated, fixing_date };
}
