import type { ArtifactVersion } from '../../schemas/types.js';
import { canonicalJson } from '../bundle/digest.js';
import { REFRESH_JOBS, type RefreshedArtifact, type RefreshJob } from './types.js';

/** A lookup's document and the record of what it was made from. */
export interface MadeLookup {
  document: unknown;
  made: Pick<ArtifactVersion, 'sha256' | 'as_of'>;
}

/**
 * What a refreshed lookup is to the live one. The same content is `unchanged`, however old either is. Other content made as of an earlier time
 * than the live one's is `older` and never replaces it. At the same `as_of` the newcomer stands, as it does in a release (`chooseLookup`).
 * @param live null where the live bundle has no such lookup: then everything is new
 */
export function artifactState(job: RefreshJob, own: MadeLookup, live: MadeLookup | null): RefreshedArtifact['state'] {
  if (live === null) return 'changed';
  if (sameContent(job, own, live)) return 'unchanged';
  return Date.parse(own.made.as_of) < Date.parse(live.made.as_of) ? 'older' : 'changed';
}

function sameContent(job: RefreshJob, own: MadeLookup, live: MadeLookup): boolean {
  if (own.made.sha256 === live.made.sha256) return true;
  const content = ({ document }: MadeLookup): Buffer => canonicalJson(withoutClock(job, document));
  return content(own).equals(content(live));
}

/** Exchange rates say when they were looked at. Over a weekend that alone moves, and a bundle that differs in nothing else is not worth a rollout. */
function withoutClock(job: RefreshJob, document: unknown): unknown {
  if (REFRESH_JOBS[job] !== 'fixings') return document;
  const { last_updated: _, ...rest } = document as Record<string, unknown>;
  return rest;
}
