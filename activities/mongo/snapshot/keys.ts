/** Where a snapshot lives in the bucket. */
export function snapshotPrefix(model: string, dataSnapshotId: string): string {
  return `fraud/snapshots/${model}/${dataSnapshotId}/`;
}

/** Names below a snapshot's prefix. Lookups and their version records lie in `lookups/`. */
export const SNAPSHOT_FILE = {
  table: 'snapshot.parquet',
  registry: 'feature_registry.json',
  fixings: 'fixings.json',
  profile: 'profile.json',
  ingestion: 'ingestion_summary.json',
  lineage: 'data_lineage.json',
  freshness: 'data_freshness.json',
  /** written last: a snapshot without it is not complete */
  record: 'snapshot.json',
} as const;

export function comparisonKey(releaseId: string, version: string): string {
  return `fraud/comparisons/${releaseId}/${version}.parquet`;
}
