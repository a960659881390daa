import { patched } from '@temporalio/workflow';
import { PATCHES } from '../common/patches.js';
import { notifyFailedJobs, notifyFailedRun } from './notifications.js';
import type { RefreshRun } from './run.js';

/**
 * A refresh failed: people are told once of what is the matter. A night of which every job failed has one cause, as a rule; where single jobs
 * failed, that has been told, and what failed after them is news.
 */
export function notifyFailure(run: RefreshRun, why: string): Promise<void> {
  const { jobs } = run.progress;
  const failed = jobs.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return notifyFailedRun(run, why);
  if (run.job !== null || !patched(PATCHES.oneNotificationANight)) return notifyFailedJobs(run);
  if (failed.length < jobs.length) return notifyFailedRun(run, why);
  const reasons = new Map<string, string[]>();
  for (const { job, error } of failed) {
    const reason = error ?? 'no reason given';
    reasons.set(reason, [...(reasons.get(reason) ?? []), job]);
  }
  const named = [...reasons].map(([reason, names]) => `${names.join(', ')}: ${reason}`);
  return notifyFailedRun(run, `every job failed. ${named.join('; ')}`);
}
