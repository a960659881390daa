import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import type { Versions } from './api-schemas.js';

/** What of a bundle every answer and every prediction names. */
export function versionsOf({ loaded, rates }: OpenBundle, generation: number | null): Versions {
  const { manifest, manifestSha256 } = loaded;
  return {
    model: manifest.model_name,
    model_version: manifest.model_version,
    bundle_version: manifest.version,
    manifest_sha256: manifestSha256,
    generation,
    thresholds_sha256: manifest.files[BUNDLE_FILE.thresholds]?.sha256 ?? '',
    fx_last_updated: rates?.last_updated ?? null,
  };
}
