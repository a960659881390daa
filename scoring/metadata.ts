import type { Metadata } from './api-schemas.js';
import type { LiveBundle } from './live-bundle.js';

export function metadataOf(live: LiveBundle, replica: { id: string; environment: string }): Metadata {
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
    metrics: manifest.metrics,
    replica: replica.id,
    environment: replica.environment,
    generation,
    from: live.origin.from,
    loaded_at: live.loadedAt,
  };
}
