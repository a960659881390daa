/** A retraining that drift asked for. One per release id; `startedAt` is null until its release is known to run. */
export interface RetrainingClaim {
  releaseId: string;
  asOf: string;
  reason: string;
  claimedAt: string;
  startedAt: string | null;
}

/** What a day that asks for a retraining says of itself. */
export interface ClaimRequest {
  model: string;
  releaseId: string;
  asOf: string;
  reason: string;
  /** from the workflow's clock */
  claimedAt: string;
}

/**
 * `start`: the claim's release is to be started now; it is the asker's own claim, or one whose run was stopped before it could start it. `started`: the
 * asker's own, and its release runs or ran. `until`: end of the cool-down, ISO.
 */
export interface ClaimAnswer {
  outcome: 'start' | 'started' | 'cooling-down';
  claim: RetrainingClaim;
  until: string;
}
