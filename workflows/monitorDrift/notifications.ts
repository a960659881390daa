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
  const { model, key, verdict, asOf, why, isStale, stalenessHours } = day;
  const facts = {
    model,
    what: verdict === 'drift' ? ('drift' as const) : ('stale data' as const),
    day: asOf.slice(0, 10),
    key,
    why,
    staleHours: isStale ? stalenessHours : null,
  };
  const occasion = `${driftWorkflowId(model, key)}/drift`;
  const { workflowId } = workflowInfo();
  if (retraining === null) return send(input, notificationOf('drift', occasion, workflowId, facts));
  const { outcome, claim, until } = retraining;
  const asked = { releaseId: claim.releaseId, coolingUntil: outcome === 'started' ? null : until };
  return send(input, notificationOf('lastingDrift', occasion, workflowId, { ...facts, ...asked }));
}

/**
 * Too little data to judge by is no pass: somebody should know why. Sent once, until there is a verdict or another model: the next day's says
 * nothing new.
 */
export function notifyInconclusive({ input }: DriftRun, why: string, same: Undecided): Promise<void> {
  const { model, kind } = input;
  const { modelVersion = 'any', since } = same;
  if (since === undefined) return send(input, withoutVerdict(input, ofTheDay(input), why));
  const key = `drift/${model}/${kind}-inconclusive/${modelVersion}/${since ?? 'never'}`;
  const once = `This is reported once, until there is ${kind === 'weekly' ? 'a snapshot' : 'a verdict'}.`;
  return send(input, withoutVerdict(input, key, `${why}. ${once}`));
}

/** Nothing is live yet; reported once for a model. */
export function notifyNothingLive({ input }: DriftRun, why: string): Promise<void> {
  const { model } = input;
  const notification = notificationOf('nothingLive', nothingLiveKey(model), workflowInfo().workflowId, { model });
  return handOverSince(model, notification, shortCalls, withoutVerdict(input, ofTheDay(input), why));
}

function ofTheDay({ model, key }: DriftInput): string {
  return `${driftWorkflowId(model, key)}/inconclusive`;
}

function withoutVerdict({ model, asOf, kind }: DriftInput, key: string, text: string): Notification {
  return notificationOf('noDriftVerdict', key, workflowInfo().workflowId, {
    model,
    what: kind === 'weekly' ? 'no weekly snapshot' : 'no verdict on drift',
    day: asOf.slice(0, 10),
    why: text,
    again: againCommand({ asOf, kind }),
  });
}

function againCommand({ asOf, kind }: Pick<DriftInput, 'asOf' | 'kind'>): string {
  return `sluice drift run --as-of ${typedAsOf(asOf)}${kind === 'weekly' ? ' --weekly' : ''}`;
}

function send({ model }: DriftInput, notification: Notification): Promise<void> {
  return handOverSince(model, notification, shortCalls);
}

/** The comparison could not be made. Also reported by the schedule that had started it, under the same key: once. */
export function notifyFailure(run: DriftRun, error: unknown): void {
  const { model, asOf, kind } = run.input;
  if (isNoNews(error) || !patched(PATCHES.everyNotificationHandedOver)) return;
  run.notifyFailure('runFailed', {
    model,
    what: `${kind === 'weekly' ? 'the weekly snapshot' : 'the drift run'} as of ${asOf.slice(0, 10)}`,
    why: run.progress.why ?? 'no reason given',
    again: againCommand(run.input),
  });
}
