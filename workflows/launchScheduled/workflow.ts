import {
  ApplicationFailure,
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { log, patched, setCurrentDetails, startChild, workflowInfo } from '@temporalio/workflow';
import { notificationOf } from '../../domain/notification/events.js';
import type { Notification } from '../../domain/notification/notification.js';
import { handOver } from '../common/notify.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls, waiting } from '../common/proxies.js';
import { QUEUES } from '../common/queues.js';
import { failureKey } from '../common/run.js';
import type { LaunchInput, LaunchResult } from './contract.js';
import { canonicalRun, type CanonicalRun } from './jobs.js';
import { MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/**
 * Started by a schedule: works out `asOf`, starts the run under its own id or finds it, and waits for its end, so that the schedule knows
 * when it is busy and what failed. A run that waits for a person is left to itself.
 */
export async function launchScheduled(input: LaunchInput): Promise<LaunchResult> {
  const run = canonicalRun(input, scheduledAt());
  setCurrentDetails(`**${run.workflowId}**, as of ${run.asOf}`);
  const notified = notifyOfLosses();

  const found = !(await start(input, run));
  const state = await waiting.awaitRun({ workflowId: run.workflowId });
  await notified;
  if (state.state === 'failed') {
    await notifyOfFailure(input, run, state.why);
    throw ApplicationFailure.nonRetryable(`${run.workflowId} ${state.why}`, 'ScheduledRunFailed');
  }
  setCurrentDetails(`**${run.workflowId}**, as of ${run.asOf}: ${state.state}${found ? ', found' : ''}`);
  return { workflowId: run.workflowId, asOf: run.asOf, found, outcome: state.state };
}

/** The nominal time, before jitter; a caught-up or backfilled run keeps the time it missed. */
function scheduledAt(): string {
  const time = workflowInfo().typedSearchAttributes.get(SCHEDULED_AT);
  if (time === undefined)
    throw ApplicationFailure.nonRetryable(
      'this workflow takes its time from the schedule that starts it: `sluice schedules run NAME`',
      'InvalidInput',
    );
  return time.toISOString();
}

/** Whether it was started; false where the id is taken. */
async function start({ model, schedule }: LaunchInput, run: CanonicalRun): Promise<boolean> {
  try {
    await startChild(run.workflowType, {
      workflowId: run.workflowId,
      taskQueue: QUEUES.release,
      args: [run.input],
      workflowIdReusePolicy: run.reuse,
      parentClosePolicy: 'ABANDON',
      cancellationType: 'TRY_CANCEL',
      typedSearchAttributes: [{ key: MODEL_ATTRIBUTE, value: model }, ...run.searchAttributes],
      staticSummary: `${schedule} of ${model}, as of ${run.asOf}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** A schedule that skips a run says nothing, and one that never runs cannot: so every launcher checks all of them. Sent once per count. */
async function notifyOfLosses(): Promise<void> {
  try {
    for (const loss of await shortCalls.scheduleLosses()) {
      const { model, schedule, createdAt, skippedByOverlap, missedCatchup } = loss;
      const key = `schedule/${model}/${schedule}/${createdAt}/skipped-${skippedByOverlap}/missed-${missedCatchup}`;
      const { workflowId } = workflowInfo();
      await send(
        model,
        notificationOf('runsMissed', key, workflowId, { model, schedule, skippedByOverlap, missedCatchup }),
      );
    }
  } catch (error) {
    // The run itself matters more than news of others; the next launcher sends it.
    log.warn('notifications of missed runs could not be sent', { error: String(error) });
  }
}

/** That the schedule stops, or that a run of one that goes on has failed; what the run itself has told is not told again. */
async function notifyOfFailure(
  { model, schedule, pausesOnFailure }: LaunchInput,
  { workflowId: run }: CanonicalRun,
  why: string,
): Promise<void> {
  const facts = { model, schedule, run, why };
  const { workflowId, runId } = workflowInfo();
  if (pausesOnFailure)
    return send(model, notificationOf('schedulePaused', `${workflowId}/${runId}/paused`, run, facts));
  if (patched(PATCHES.notificationsOfTheirOwn))
    await handOver(model, notificationOf('scheduledRunFailed', failureKey(run), run, facts));
}

function send(model: string, notification: Notification): Promise<void> {
  return patched(PATCHES.notificationsOfTheirOwn) ? handOver(model, notification) : shortCalls.notify(notification);
}
