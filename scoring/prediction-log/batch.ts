import type { ScoredBy, ScoredRequest } from './scored-request.js';

/** Requests on their way to the log's thread: few objects and flat arrays, whose buffers are handed over and not copied. */
export interface Batch {
  bundles: ScoredBy[];
  requests: {
    requestId: string;
    scoredAtMs: number;
    /** in `bundles` */
    bundle: number;
    rows: number;
    bodyBytes: number;
    segments: readonly (string | null)[];
  }[];
  /** request by request, each laid out as in `ScoredRequest` */
  bodies: Uint8Array<ArrayBuffer>;
  features: Float32Array<ArrayBuffer>;
  figures: Float64Array<ArrayBuffer>;
}

/** Copies requests into one batch; they stay as they are, for another try. */
export function packed(scored: readonly ScoredRequest[]): Batch {
  const bundles = [...new Set(scored.map(({ by }) => by))];
  const total = (length: (request: ScoredRequest) => number) => scored.reduce((sum, one) => sum + length(one), 0);
  const bodies = new Uint8Array(total(({ body }) => body.length));
  const features = new Float32Array(total((one) => one.features.length));
  const figures = new Float64Array(total((one) => one.figures.length));
  const at = { bodies: 0, features: 0, figures: 0 };
  const requests = scored.map((one) => {
    bodies.set(one.body, at.bodies);
    features.set(one.features, at.features);
    figures.set(one.figures, at.figures);
    at.bodies += one.body.length;
    at.features += one.features.length;
    at.figures += one.figures.length;
    const { requestId, scoredAtMs, rows, segments } = one;
    return { requestId, scoredAtMs, bundle: bundles.indexOf(one.by), rows, bodyBytes: one.body.length, segments };
  });
  return { bundles, requests, bodies, features, figures };
}
