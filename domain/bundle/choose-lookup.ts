import type { ArtifactVersion } from '../../schemas/types.js';

/** A lookup's bytes and what they were made from. */
export interface LookupCandidate {
  bytes: Buffer;
  made: ArtifactVersion;
  madeBytes: Buffer;
}

/**
 * The newer of the lookup a training came with and the one that is live, by what each was made `as_of`. On a tie the release's own: an
 * older or equally old artifact never replaces it, and neither does it undo a refresh that came in between.
 */
export function chooseLookup(
  own: LookupCandidate,
  live: LookupCandidate | null,
): { lookup: LookupCandidate; from: 'own' | 'live' } {
  if (live === null || Date.parse(live.made.as_of) <= Date.parse(own.made.as_of)) return { lookup: own, from: 'own' };
  return { lookup: live, from: 'live' };
}
