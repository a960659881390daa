import type { Arm } from '../../domain/traffic/assign.js';
import type { ScoredRows } from '../bundles/scored-rows.js';
import type { Versions } from '../serving/api-schemas.js';

/** What of a bundle every prediction names. One object per set, so that requests are grouped by it. */
export interface ScoredBy {
  versions: Versions;
  arm: Arm;
  featureNames: readonly string[];
}

/** An answered request as it waits for the log: the body's own bytes and flat arrays, not a heap of small objects. */
export interface ScoredRequest extends Pick<ScoredRows, 'rows' | 'features' | 'figures' | 'segments'> {
  requestId: string;
  scoredAtMs: number;
  /** as it came: one transaction, or a list */
  body: Uint8Array;
  by: ScoredBy;
  /** of memory, about */
  bytes: number;
}

/** objects around a request, and what a row holds besides its numbers */
const BYTES_PER_REQUEST = 600;
const BYTES_PER_ROW = 64;

/** @param body the request's bytes, which nobody else may change */
export function scoredRequest(
  requestId: string,
  body: Uint8Array,
  by: ScoredBy,
  { rows, features, figures, segments }: ScoredRows,
): ScoredRequest {
  const bytes = BYTES_PER_REQUEST + body.byteLength + features.byteLength + figures.byteLength + rows * BYTES_PER_ROW;
  return { requestId, scoredAtMs: Date.now(), body, by, rows, features, figures, segments, bytes };
}
