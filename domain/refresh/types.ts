import type { CheckResult } from '../release/types.js';

/** The nightly jobs. Each remakes every lookup of the model whose builder is its own. */
export const REFRESH_JOBS = {
  merchantFrequency: 'frequency',
  categoryStats: 'robust_stats',
  fxRates: 'fixings',
  synonyms: 'static',
} as const;
export type RefreshJob = keyof typeof REFRESH_JOBS;

/**
 * One file that may replace its namesake in a bundle. It lies in S3, written once per job and key; asked again, a job answers with what lies there.
 */
export interface RefreshedArtifact {
  job: RefreshJob;
  /** the lookup's name in the model's spec */
  lookup: string;
  /** its name in a bundle */
  file: string;
  /** S3 keys of the file and of its version record */
  objectKey: string;
  versionKey: string;
  sha256: string;
  /** of the version record */
  version: string;
  asOf: string;
  rows: number;
  /** what the live bundle has: another content; the same; or one of a later `asOf`, which this must not replace */
  state: 'changed' | 'unchanged' | 'older';
  /** sanity gates against the live artifact; one that failed holds this artifact for approval */
  checks: CheckResult[];
  /** what a reader should know: rows left out and why, a rate carried forward */
  notes: string[];
}
