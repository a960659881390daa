import type { Versions } from '../serving/api-schemas.js';
import type { LiveBundle, Scored } from '../bundles/live-bundle.js';

/** What of a bundle every prediction names. One object per bundle, so that requests are grouped by it. */
export interface ScoredBy {
  versions: Versions;
  featureNames: readonly string[];
}

/** per row: score, calibrated probability, anomaly score, threshold, 1 for an alert */
export const FIGURES = 5;

/** An answered request as it waits for the log: the body's own bytes and flat arrays, not a heap of small objects. */
export interface ScoredRequest {
  requestId: string;
  scoredAtMs: number;
  /** as it came: one transaction, or a list */
  body: Uint8Array;
  by: ScoredBy;
  rows: number;
  /** rows × features */
  features: Float32Array;
  figures: Float64Array;
  segments: readonly (string | null)[];
  /** of memory, about */
  bytes: number;
}

/** objects around a request, and what a row holds besides its numbers */
const BYTES_PER_REQUEST = 600;
const BYTES_PER_ROW = 64;

const known = new WeakMap<Versions, ScoredBy>();

/** @param body the request's bytes, which nobody else may change */
export function scoredRequest(requestId: string, body: Uint8Array, live: LiveBundle, scored: Scored): ScoredRequest {
  const { results, features, segments } = scored;
  let by = known.get(live.versions);
  if (by === undefined) {
    by = { versions: live.versions, featureNames: live.featureNames };
    known.set(live.versions, by);
  }
  const figures = new Float64Array(results.length * FIGURES);
  let at = 0;
  for (const { score, calibrated_probability, anomaly_score, threshold, decision } of results) {
    figures[at] = score;
    figures[at + 1] = calibrated_probability;
    figures[at + 2] = anomaly_score;
    figures[at + 3] = threshold;
    figures[at + 4] = decision === 'alert' ? 1 : 0;
    at += FIGURES;
  }
  const rows = results.length;
  return {
    requestId,
    scoredAtMs: Date.now(),
    body,
    by,
    rows,
    features,
    figures,
    segments,
    bytes: BYTES_PER_REQUEST + body.byteLength + features.byteLength + figures.byteLength + rows * BYTES_PER_ROW,
  };
}
