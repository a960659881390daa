import type { DriftDay } from '../../domain/drift/day.js';
import { shortCalls } from '../common/proxies.js';
import { driftWorkflowId, type DriftInput, type Retraining } from './contract.js';

/** A day with drift, or without new data: what it is, what was done about it, and what people should do. Sent once per key. */
export function notifyDrift(day: DriftDay, retraining: Retraining | null): Promise<void> {
  const { model, key, verdict } = day;
  const what = verdict === 'drift' ? 'drift' : 'stale data';
  return shortCalls.notify({
    key: `${driftWorkflowId(model, key)}/drift`,
    severity: retraining === null ? 'warning' : 'critical',
    title: `${model}: ${what} as of ${day.asOf.slice(0, 10)}`,
    text: retraining === null ? day.why : `${day.why}\n${doneAbout(retraining)}`,
    whatToDo: day.isStale
      ? `First check the scorer and the prediction log: the newest row is ${day.stalenessHours?.toFixed(0)} hours old. The figures: sluice drift show ${key}`
      : retraining?.outcome === 'started'
        ? `Watch the retraining: sluice release watch ${retraining.claim.releaseId}. The comparison: sluice drift show ${key}`
        : `Find out what changed: sluice drift show ${key}. If the change is real and lasting: sluice release start --reason WHY`,
  });
}

function doneAbout({ outcome, claim, until }: Retraining): string {
  return outcome === 'started'
    ? `Retraining ${claim.releaseId} was started. It must pass the same gates and approval as any release.`
    : `No retraining was started: the last one was ${claim.releaseId}, and the next may start from ${until}.`;
}

/** Too little data to judge by is no pass: somebody should know why. Sent once per key. */
export function notifyInconclusive({ model, key, asOf, kind }: DriftInput, why: string): Promise<void> {
  return shortCalls.notify({
    key: `${driftWorkflowId(model, key)}/inconclusive`,
    severity: 'warning',
    title: `${model}: ${kind === 'weekly' ? 'no weekly snapshot' : 'no verdict on drift'} as of ${asOf.slice(0, 10)}`,
    text: why,
    whatToDo: `Correct the cause, then run it again: sluice drift run --as-of ${asOf}${kind === 'weekly' ? ' --weekly' : ''}`,
  });
}
