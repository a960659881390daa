import {
  ApplicationFailure,
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { log, patched, setCurrentDetails, startChild, workflowInfo } from '@temporalio/workflow';
import { notificationOf } from '../../domain/notification/events.js';
import type { Notification } from '../../domain/notification/notification.js';
import { isUnsettled, outcomeOfFailure, type GoesOn } from '../../domain/schedules/outcome.js';
import type { RunState } from '../../activities/runs/contract.js';
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
 * when it is busy and what failed. A run that waits for a person is left to itself. What a run ends with by its own rules (a gate missed, no
 * data yet, cancelled by a person) is an outcome, and no failure of the schedule.
 */
export async function launchScheduled(input: LaunchInput): Promise<LaunchResult> {
  const run = canonicalRun(input, scheduledAt());
  setCurrentDetails(`**${run.workflowId}**, as of ${run.asOf}`);
  const notified = notifyOfLosses();

  let found = !(await start(input, run, run.reuse));
  let state = await waiting.awaitRun({ workflowId: run.workflowId });
  if (found && asksForAnother(run, state) && patched(PATCHES.schedulesGoOn)) {
    found = !(await start(input, run, 'ALLOW_DUPLICATE'));
    state = await waiting.awaitRun({ workflowId: run.workflowId });
  }
  await notified;
  const { workflowId, asOf } = run;
  const shown = `**${workflowId}**, as of ${asOf}: `;
  if (state.state === 'failed') {
    const outcome = goesOn(state);
    await notifyOfFailure(input, run, state.why, outcome);
    if (outcome === null) throw ApplicationFailure.nonRetryable(`${workflowId} ${state.why}`, 'ScheduledRunFailed');
    setCurrentDetails(`${shown}${outcome}`);
    return { workflowId, asOf, found, outcome, why: state.why };
  }
  const status = (state.state === 'completed' ? state.status : null) ?? null;
  setCurrentDetails(`${shown}${status ?? state.state}${found ? ', found' : ''}`);
  return { workflowId, asOf, found, outcome: state.state, ...(status === null ? {} : { status }) };
}

/** Somebody else's run of this day has failed, or a run of it came too early to settle anything: the schedule's own is still wanted. */
function asksForAnother({ reuse }: CanonicalRun, state: RunState): boolean {
  if (reuse === 'REJECT_DUPLICATE') return false;
  if (state.state === 'completed') return isUnsettled(state.status ?? null);
  return state.state === 'failed' && state.type !== undefined && outcomeOfFailure(state.type) !== 'cancelled';
}

/** What a failed run is to its schedule; null: a failure. */
function goesOn({ type = null }: Extract<RunState, { state: 'failed' }>): GoesOn | null {
  const outcome = outcomeOfFailure(type);
  return outcome !== null && patched(PATCHES.schedulesGoOn) ? outcome : null;
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
async function start(
  { model, schedule }: LaunchInput,
  run: CanonicalRun,
  reuse: CanonicalRun['reuse'],
): Promise<boolean> {
  try {
    await startChild(run.workflowType, {
      workflowId: run.workflowId,
      taskQueue: QUEUES.release,
      args: [run.input],
      workflowIdReusePolicy: reuse,
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

/**
 * That the schedule stops, or that a run of one that goes on has failed; what the run itself has told is not told again. Whoever cancelled a
 * run knows it.
 */
async function notifyOfFailure(
  { model, schedule, pausesOnFailure }: LaunchInput,
  { workflowId: run }: CanonicalRun,
  why: string,
  outcome: GoesOn | null,
): Promise<void> {
  if (outcome === 'cancelled') return;
  const facts = { model, schedule, run, why };
  const { workflowId, runId } = workflowInfo();
  if (pausesOnFailure && outcome === null)
    return send(model, notificationOf('schedulePaused', `${workflowId}/${runId}/paused`, run, facts));
  if (patched(PATCHES.notificationsOfTheirOwn))
    await handOver(model, notificationOf('scheduledRunFailed', failureKey(run), run, facts));
}

function send(model: string, notification: Notification): Promise<void> {
  return patched(PATCHES.notificationsOfTheirOwn) ? handOver(model, notification) : shortCalls.notify(notification);
}
