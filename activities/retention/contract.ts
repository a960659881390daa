/** What was deleted, small enough for workflow history. */
export interface PruneResult {
  model: string;
  deleted: { kind: string; name: string; objects: number; bytes: number }[];
  /** chosen at first, then named by somebody while the others were deleted */
  spared: { kind: string; name: string; why: string }[];
  kept: number;
}

/** queue `data` */
export interface PruneActivities {
  /**
   * Deletes bundles, refreshed artifacts and snapshots of a model that nothing names any more: beyond the newest `keep` and older than so many
   * days. What a pointer, a pin or a running run names is asked again before each deletion. Run twice, it finds less to do.
   */
  pruneArtifacts(input: {
    model: string;
    keep?: number;
    olderThanDays?: number;
    /** from the workflow's clock; ISO */
    now: string;
  }): Promise<PruneResult>;
}
