import type { Metadata } from './api-schemas.js';
import type { LiveBundle, Rates } from '../bundles/live-bundle.js';

const DAY_MS = 86_400_000;

export function metadataOf(
  live: LiveBundle,
  replica: { id: string; environment: string },
  prediction_log: Metadata['prediction_log'],
): Metadata {
  const { manifest, thresholds, lookupVersions } = live.loaded;
  const { model, model_version, bundle_version, manifest_sha256, generation, thresholds_sha256, fx_last_updated } =
    live.versions;
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
    fx: live.rates === null ? null : { ...datesOf(live.rates), age_days: ageDays(live.rates.fixing_date, Date.now()) },
    metrics: manifest.metrics,
    replica: replica.id,
    environment: replica.environment,
    generation,
    from: live.origin.from,
    loaded_at: live.loadedAt,
    prediction_log,
  };
}

/** The lookup has its tables beside them. */
function datesOf({ last_updated, fixing_date }: Rates): Rates {
  return { last_updated, fixing_date };
}

/** Whole days from a fixing's day (its midnight UTC) to a time. */
export function ageDays(fixingDate: string, nowMs: number): number {
  return Math.floor((nowMs - Date.parse(`${fixingDate}T00:00:00Z`)) / DAY_MS);
}
