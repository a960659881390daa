import { typedAsOf } from '../../domain/schedules/as-of.js';
import { patched, workflowInfo } from '@temporalio/workflow';
import type { DriftDay } from '../../domain/drift/day.js';
import { notificationOf } from '../../domain/notification/events.js';
import type { Notification } from '../../domain/notification/notification.js';
import { nothingLiveKey } from '../common/nothing-live.js';
import { handOverSince } from '../common/notify.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls } from '../common/proxies.js';
import { isNoNews } from '../common/reason.js';
import { driftWorkflowId, type DriftInput, type Retraining } from './contract.js';
import type { DriftRun } from './run.js';

/** What an answer without a verdict is the same as long as; `since` is absent in days of before 25 November 2026. */
export interface Undecided {
  modelVersion?: string;
  since?: string | null | undefined;
}

/** A day with drift, or without new data: what it is, what was done about it, and what people should do. Sent once per key. */
export function notifyDrift({ input }: DriftRun, day: DriftDay, retraining: Retraining | null): Promise<void> {
  const { model, key, verdict } = day;
  const what = verdict === 'drift' ? 'drift' : 'stale data';
  return send(input, {
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

/**
 * Too little data to judge by is no pass: somebody should know why. Sent once, until there is a verdict or another model: the next day's says
 * nothing new.
 */
export function notifyInconclusive({ input }: DriftRun, why: string, same: Undecided): Promise<void> {
  const { model, key, kind } = input;
  const { modelVersion = 'any', since } = same;
  const content = withoutVerdict(input, why);
  if (since === undefined) return send(input, { ...content, key: `${driftWorkflowId(model, key)}/inconclusive` });
  return send(input, {
    ...content,
    key: `drift/${model}/${kind}-inconclusive/${modelVersion}/${since ?? 'never'}`,
    text: `${why}. This is reported once, until there is ${kind === 'weekly' ? 'a snapshot' : 'a verdict'}.`,
  });
}

/** Nothing is live yet; reported once for a model. */
export function notifyNothingLive(run: DriftRun, why: string): Promise<void> {
  const { model, key } = run.input;
  const { workflowId } = workflowInfo();
  return handOverSince(model, notificationOf('nothingLive', nothingLiveKey(model), workflowId, { model }), () =>
    shortCalls.notify({ ...withoutVerdict(run.input, why), key: `${driftWorkflowId(model, key)}/inconclusive` }),
  );
}

function withoutVerdict({ model, asOf, kind }: DriftInput, why: string): Omit<Notification, 'key'> {
  return {
    severity: 'warning',
    title: `${model}: ${kind === 'weekly' ? 'no weekly snapshot' : 'no verdict on drift'} as of ${asOf.slice(0, 10)}`,
    text: why,
    whatToDo: `Correct the cause, then run it again: sluice drift run --as-of ${typedAsOf(asOf)}${kind === 'weekly' ? ' --weekly' : ''}`,
  };
}

function send({ model }: DriftInput, content: Notification): Promise<void> {
  const notification = { ...content, workflowId: workflowInfo().workflowId };
  return handOverSince(model, notification, () => shortCalls.notify(notification));
}

/** The comparison could not be made. Also reported by the schedule that had started it, under the same key: once. */
export function notifyFailure(run: DriftRun, error: unknown): void {
  const { model, asOf, kind } = run.input;
  if (isNoNews(error) || !patched(PATCHES.everyNotificationHandedOver)) return;
  run.notifyFailure('runFailed', {
    model,
    what: `${kind === 'weekly' ? 'the weekly snapshot' : 'the drift run'} as of ${asOf.slice(0, 10)}`,
    why: run.progress.why ?? 'no reason given',
    again: `sluice drift run --as-of ${typedAsOf(asOf)}${kind === 'weekly' ? ' --weekly' : ''}`,
  });
}
