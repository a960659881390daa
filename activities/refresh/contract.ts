import type { BundleRef } from '../../domain/release/types.js';
import type { RefreshedArtifact } from '../../domain/refresh/types.js';

export interface RefreshInput {
  model: string;
  /** every window ends here; ISO */
  asOf: string;
  /** `refreshKey(asOf)` */
  key: string;
  /** what the artifacts are compared with */
  live: { version: string; manifestSha256: string };
}

/**
 * queue `data`. Each makes, checks and stores the artifacts of one job; asked again for the same key, it answers with what was stored.
 * An artifact beyond its tolerance is an answer; a source that cannot be used (a provider's broken reply, an empty window) is a failure.
 */
export interface RefreshActivities {
  refreshMerchantFrequency(input: RefreshInput): Promise<RefreshedArtifact[]>;
  refreshCategoryStats(input: RefreshInput): Promise<RefreshedArtifact[]>;
  refreshFxRates(input: RefreshInput): Promise<RefreshedArtifact[]>;
  refreshSynonyms(input: RefreshInput): Promise<RefreshedArtifact[]>;
}

/** One file of a bundle to be replaced by an object that lies elsewhere. */
export interface Replacement {
  file: string;
  objectKey: string;
  sha256: string;
  /** the version record; null for a file that has none (thresholds) */
  versionKey: string | null;
}

/** queue `data` */
export interface RecomposeActivities {
  /**
   * The live bundle with other files: unchanged ones are copied inside the store, golden vectors are answered anew, the patch version rises.
   * A lookup whose `asOf` is older than the live one's is left alone; when nothing is left to change, there is no new bundle.
   */
  recomposeBundle(input: {
    model: string;
    /** names this change, in manifest and pointer */
    releaseId: string;
    base: { version: string; manifestSha256: string };
    replacements: Replacement[];
    gitSha: string;
    /** goes into the version's name; from the workflow's clock, so that a retry writes the same */
    createdAt: string;
  }): Promise<{
    /** null: nothing changed */
    bundle: BundleRef | null;
    replaced: string[];
    /** files left as they are in the base: they have the same content, or are newer than their replacement */
    kept: { file: string; state: 'unchanged' | 'older'; why: string }[];
  }>;
}
