import type { DriftDay } from '../../domain/drift/day.js';
import { shortCalls } from '../common/proxies.js';
import { driftWorkflowId, type DriftInput, type Retraining } from './contract.js';

/** Tells people of a day with drift, or without new data: what, what was done about it, and what they should do. Once per key. */
export function alertDrift(day: DriftDay, retraining: Retraining | null): Promise<void> {
  const { model, key, verdict } = day;
  const what = verdict === 'drift' ? 'drift' : 'stale data';
  return shortCalls.notify({
    key: `${driftWorkflowId(model, key)}/drift`,
    severity: retraining === null ? 'warning' : 'critical',
    title: `${model}: ${what} as of ${day.asOf.slice(0, 10)}`,
    text: retraining === null ? day.why : `${day.why}\n${doneAbout(retraining)}`,
    whatToDo: day.isStale
      ? `Look at what scores and at the prediction log first: the newest row is ${day.stalenessHours?.toFixed(0)} hours old. The figures: sluice drift show ${key}`
      : retraining?.outcome === 'started'
        ? `Follow the retraining: sluice release watch ${retraining.claim.releaseId}. The comparison: sluice drift show ${key}`
        : `Look at what changed: sluice drift show ${key}. If the change is real and lasts: sluice release start --reason WHY`,
  });
}

function doneAbout({ outcome, claim, until }: Retraining): string {
  return outcome === 'started'
    ? `Retraining ${claim.releaseId} was started; it passes the gates and the approval of any release.`
    : `No retraining was started: ${claim.releaseId} was, and the next may be from ${until} on.`;
}

/** Too little to judge by is no pass: somebody should know why. Once per key. */
export function alertInconclusive({ model, key, asOf, kind }: DriftInput, why: string): Promise<void> {
  return shortCalls.notify({
    key: `${driftWorkflowId(model, key)}/inconclusive`,
    severity: 'warning',
    title: `${model}: ${kind === 'weekly' ? 'no weekly snapshot' : 'no verdict on drift'} as of ${asOf.slice(0, 10)}`,
    text: why,
    whatToDo: `When the cause is gone, run it again: sluice drift run --as-of ${asOf}${kind === 'weekly' ? ' --weekly' : ''}`,
  });
}
