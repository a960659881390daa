import { CancellationScope, log, patched, startChild } from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { NotifyActivities } from '../../activities/notification/contract.js';
import type { Notification } from '../../domain/notification/notification.js';
import { MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { notificationWorkflowId, WORKFLOW } from '../sendNotification/contract.js';
import { PATCHES } from './patches.js';
import { QUEUES } from './queues.js';
import { reasonOf } from './reason.js';
import { summaryOf } from './summaries.js';

/**
 * Hands a notification over to a workflow of its own, which outlives this one; resolves as soon as Temporal has it. One that is on its
 * way already, whoever handed it over, is not sent twice. Also works in a run that has been cancelled.
 */
export async function handOver(model: string, notification: Notification): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() =>
      startChild<(input: Notification) => Promise<void>>(WORKFLOW, {
        args: [notification],
        workflowId: notificationWorkflowId(notification),
        taskQueue: QUEUES.release,
        parentClosePolicy: 'ABANDON',
        // Whether the occasion has been told is the ledger's to know, which outlives this history.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        typedSearchAttributes: new TypedSearchAttributes([{ key: MODEL_ATTRIBUTE, value: model }]),
        staticSummary: summaryOf(notification.title),
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/**
 * As `handOver`, for what was sent by an activity before `PATCHES.everyNotificationHandedOver`.
 * @param before the proxy by which runs of then sent it
 * @param asBefore what they sent, where it was something else
 */
export function handOverSince(
  model: string,
  notification: Notification,
  before: NotifyActivities,
  asBefore: Notification = notification,
): Promise<void> {
  return patched(PATCHES.everyNotificationHandedOver) ? handOver(model, notification) : before.notify(asBefore);
}

/**
 * For a notification that must not hold up or end what it is about: that it could not be sent is logged. Never rejects, so it may be waited
 * for or left alone.
 */
export function logUnsent(sending: Promise<void>): Promise<void> {
  return sending.catch((error: unknown) => log.warn('a notification could not be sent', { error: reasonOf(error) }));
}
