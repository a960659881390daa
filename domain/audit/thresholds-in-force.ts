import type { AuditEntry } from '../../schemas/types.js';

type Change = Pick<AuditEntry, 'old_version' | 'new_version' | 'release_id' | 'change'>;

/**
 * Which change the live thresholds come from: a recalibration or a release; a refresh passes on those it found, and whoever goes back to an earlier bundle
 * goes back to its thresholds.
 * @param entries of one model and environment, oldest first
 * @returns the change's `release_id`; null where nothing is live
 */
export function thresholdsInForce(entries: readonly Change[]): string | null {
  const madeBy = new Map<string, string | null>();
  let live: string | null = null;
  for (const { old_version, new_version, release_id, change } of entries) {
    if (!madeBy.has(new_version)) {
      const before = old_version === null ? null : (madeBy.get(old_version) ?? null);
      madeBy.set(new_version, passesThemOn(change, release_id) ? before : release_id);
    }
    live = madeBy.get(new_version) ?? null;
  }
  return live;
}

/** An entry of step 2 or before names no kind of change: then its release's name says what it was. */
function passesThemOn(change: AuditEntry['change'], releaseId: string): boolean {
  return change === undefined ? releaseId.startsWith('refresh-') : change.kind === 'lookups';
}
