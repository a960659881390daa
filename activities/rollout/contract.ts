import type { Receipt, ReplicaInfo } from '../../domain/release/types.js';
import type { BundleId } from '../../domain/bundle/id.js';
import type { LiveState } from '../../domain/release/live-state.js';

/** queue `release`: what one replica at a time is told goes through `ReplicaActivities` on its own queue */
export interface ScorerActivities {
  /** Replicas of the environment whose lease is alive. */
  liveReplicas(input: { model: string; environment: string }): Promise<ReplicaInfo[]>;
  /** `/v1/health`, `/v1/metadata` and `/v1/score` on the golden vectors over HTTP, as a user would; scores equal within 1e-5. */
  smoke(input: {
    model: string;
    replica: ReplicaInfo;
    bundle: BundleId;
    generation: number;
  }): Promise<{ vectors: number; largestDifference: number }>;
}

/** queue `scoring-{replicaId}`, inside the scorer's process */
export interface ReplicaActivities {
  /**
   * Follows the pointer and answers once exactly this generation is live here; asked again, it answers the same. Superseded when the replica
   * serves a newer one: it never goes back. ReloadFailed while the pointer does not name it yet.
   */
  reload(input: {
    model: string;
    environment: string;
    version: string;
    manifestSha256: string;
    generation: number;
  }): Promise<Receipt>;
}

/** queue `release`: which bundles proved themselves live, so that a rollback knows the last good one */
export interface RolloutActivities {
  /** Once per generation. */
  recordVerdict(input: {
    model: string;
    environment: string;
    version: string;
    manifestSha256: string;
    generation: number;
    verdict: string;
    why: string;
    at: string;
  }): Promise<void>;
  /** The newest bundle that was live and smoked before the live one first was; null when there is none. */
  lastGoodBundle(input: { model: string; environment: string }): Promise<BundleId | null>;
  /** A bundle by its version's name, or NotFound with the versions that exist. */
  findBundle(input: { model: string; version: string }): Promise<BundleId>;
}

/** queue `release`: what is live, and who else says so */
export interface LiveStateActivities {
  /** null: nothing is live */
  lookAtLive(input: { model: string; environment: string }): Promise<LiveState | null>;
}
