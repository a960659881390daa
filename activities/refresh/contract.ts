import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface RefreshInput {
  model: string;
  /** every window ends here; ISO */
  asOf: string;
  /** `runKey(asOf)` */
  key: string;
  /** what the artifacts are compared with */
  live: BundleId;
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
