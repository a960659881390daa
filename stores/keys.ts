import { MANIFEST_FILE } from '../domain/bundle/layout.js';
import type { RefreshJob } from '../domain/refresh/types.js';

/**
 * Every key that Sluice writes in its S3 bucket, in one list. A prefix ends with `/`; nothing outside this file spells one out
 * (`test/unit/stores.test.ts`). The names are part of what users have stored: they never change.
 */
const ROOT = 'fraud';

/** Where bundles of a model are, a folder each; the pointers of its environments beside them. */
export function bundlesPrefix(model: string): string {
  return `${ROOT}/artifacts/${model}/`;
}

export function bundlePrefix(model: string, version: string): string {
  return `${bundlesPrefix(model)}${version}/`;
}

export function bundleKey(model: string, version: string, file: string): string {
  return bundlePrefix(model, version) + file;
}

/** The pointer of an environment: `current.json` is production. */
export function pointerKey(model: string, environment: string): string {
  return `${bundlesPrefix(model)}${environment === 'production' ? 'current' : environment}.json`;
}

/** What makes a bundle's version one writer's own while it is composed. */
export function claimKey(model: string, version: string): string {
  return `${ROOT}/claims/${model}/${version}.json`;
}

/** Manifests of bundles that are being deleted. */
export function tombstonesPrefix(model: string): string {
  return `${ROOT}/pruned/${model}/`;
}

/** Where a bundle's manifest is kept while the rest is deleted. */
export function tombstoneKey(model: string, version: string): string {
  return `${tombstonesPrefix(model)}${version}/${MANIFEST_FILE}`;
}

/** Training snapshots of a model, a folder each. */
export function snapshotsPrefix(model: string): string {
  return `${ROOT}/snapshots/${model}/`;
}

export function snapshotPrefix(model: string, dataSnapshotId: string): string {
  return `${snapshotsPrefix(model)}${dataSnapshotId}/`;
}

/** Names below a snapshot's prefix. Lookups and their version records are in `lookups/`. */
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

/** What a model's folder said when a release began; named by its digest, written once, never deleted: some 20 KB each. */
export function definitionKey(model: string, sha256: string): string {
  return `${ROOT}/definitions/${model}/${sha256}.json`;
}

/** The held-out rows of a release through another bundle's features. */
export function comparisonKey(releaseId: string, version: string): string {
  return `${ROOT}/comparisons/${releaseId}/${version}.parquet`;
}

/** What the nightly jobs of a model make: a folder for each key, in it one for each job. */
export function refreshesPrefix(model: string): string {
  return `${ROOT}/refresh/${model}/`;
}

/** One job's artifacts of one key: each file and its version record. */
export function refreshPrefix(model: string, key: string, job: RefreshJob): string {
  return `${refreshesPrefix(model)}${key}/${job}/`;
}

/**
 * The file that domain experts edit. What is published there is what nightly jobs and releases take.
 * @param file the lookup's name in a bundle
 */
export function expertFileKey(model: string, file: string): string {
  return `${ROOT}/authority/${model}/${file}`;
}

/** Where a version of that file is kept when another takes its place. */
export function formerExpertFileKey(model: string, file: string, sha256: string): string {
  return `${ROOT}/authority/${model}/former/${sha256.slice(0, 16)}/${file}`;
}

/** Report, page and snapshot of one drift run. */
export function driftPrefix({ model, key }: { model: string; key: string }): string {
  return `${ROOT}/drift/${model}/${key}/`;
}

/** A bundle's training data day by day, as drift runs compare with it. */
export function driftReferenceKey(model: string, version: string, format: number): string {
  return `${ROOT}/drift/${model}/references/${version}.v${format}.json`;
}

/** Threshold proposals of one recalibration. */
export function thresholdsPrefix(model: string, key: string): string {
  return `${ROOT}/thresholds/${model}/${key}/`;
}
