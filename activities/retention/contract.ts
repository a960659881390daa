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

/** queue `release` */
export interface PinActivities {
  /** @throws SluiceError NotFound where there is no such bundle; InvalidInput for what is no version */
  requireBundle(input: { model: string; version: string }): Promise<void>;
  /** @throws SluiceError NotFound where the bundle is not pinned */
  requirePin(input: { model: string; version: string }): Promise<void>;
  /** Pinned again, the newer reason counts. */
  putPin(pin: { model: string; version: string; actor: string; reason: string; at: string }): Promise<void>;
  /** One that is not there is deleted already. */
  deletePin(input: { model: string; version: string }): Promise<void>;
}
