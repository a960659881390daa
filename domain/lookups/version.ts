import type { ArtifactVersion } from '../../schemas/types.js';
import { sha256Hex } from '../bundle/digest.js';

/**
 * The record that lies beside a lookup: what it was made from, and as of when. Two records with the same `version` have the same content.
 * @param made.asOf the time up to which the data could have an influence; a newer one may replace it, an older one never
 * @param made.createdAt wall-clock time, for people
 */
export function lookupVersion(made: {
  name: string;
  bytes: Uint8Array;
  asOf: string;
  window: { from: string; to: string };
  rows: number;
  createdAt: string;
  inputs: Record<string, string>;
}): ArtifactVersion {
  const sha256 = sha256Hex(made.bytes);
  const asOf = new Date(made.asOf).toISOString();
  return {
    artifact: made.name,
    version: `${asOf.slice(0, 10).replaceAll('-', '')}-${sha256.slice(0, 8)}`,
    sha256,
    as_of: asOf,
    window: made.window,
    rows: made.rows,
    created_at: made.createdAt,
    inputs: made.inputs,
  };
}
