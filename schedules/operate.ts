import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ScheduleDescription } from '@temporalio/client';
import { readScheduleMark } from '../domain/schedules/mark.js';
import { SluiceError } from '../platform/errors.js';
import { describeOrNull, offsetOf } from './apply.js';
import { scheduleId } from './desired.js';

const DAY_MS = 24 * 3600 * 1000;
/** Temporal keeps at most a thousand waiting actions of a schedule. */
const MAX_BACKFILL = 400;
const STARTED_WITHIN_MS = 15_000;

/** @throws SluiceError NotFound where it was never applied, Conflict where it is not ours */
export async function findSchedule(client: Client, model: string, name: string): Promise<ScheduleDescription> {
  const id = scheduleId(model, name);
  const found = await describeOrNull(client.schedule, id);
  if (found === null)
    throw new SluiceError(
      'NotFound',
      `no schedule ${name} of ${model}: \`sluice schedules list\` shows those there are, \`sluice schedules apply\` makes those of the registry`,
    );
  if (readScheduleMark(found.memo) === null)
    throw new SluiceError('Conflict', `the schedule ${id} was not made by Sluice: \`temporal schedule\` handles it`);
  return found;
}

/** Starts one run now, also of a paused schedule; while another is at work it waits its turn. Returns the launcher once it runs, null while it waits. */
export async function runSchedule(
  client: Client,
  model: string,
  name: string,
): Promise<{ workflowId: string; runId: string } | null> {
  const before = await findSchedule(client, model, name);
  const known = new Set(before.info.recentActions.map(({ action }) => action.workflow.firstExecutionRunId));
  const handle = client.schedule.getHandle(before.scheduleId);
  await handle.trigger('BUFFER_ALL');
  const deadline = Date.now() + STARTED_WITHIN_MS;
  while (Date.now() < deadline) {
    const { info } = await handle.describe();
    const started = info.recentActions.find(({ action }) => !known.has(action.workflow.firstExecutionRunId));
    if (started !== undefined) {
      const { workflowId, firstExecutionRunId: runId } = started.action.workflow;
      return { workflowId, runId };
    }
    if (before.info.runningActions.length > 0) return null;
    await delay(200);
  }
  return null;
}

/** The note says who and why, and stands in the Temporal UI. */
export async function pauseSchedule(client: Client, model: string, name: string, note: string): Promise<void> {
  const { scheduleId: id } = await findSchedule(client, model, name);
  await client.schedule.getHandle(id).pause(note);
}

export async function resumeSchedule(client: Client, model: string, name: string, note: string): Promise<void> {
  const { scheduleId: id } = await findSchedule(client, model, name);
  await client.schedule.getHandle(id).unpause(note);
}

export interface Backfill {
  /** when the runs were due (with the jitter they would have had), ISO, in order */
  due: string[];
  asOfOffsetDays: number;
}

/**
 * Runs what was due on some days, one after another, oldest first. A run that ended well is found and not repeated; one that failed or never
 * was is run. Works on a paused schedule too.
 * @param from, to days (midnight UTC), both included. No entry of the registry is due so close to midnight that its jitter crosses it.
 * @throws SluiceError InvalidInput for a range that is empty, in the future or too long
 */
export async function backfillSchedule(
  client: Client,
  model: string,
  name: string,
  range: { from: Date; to: Date },
  now: Date,
): Promise<Backfill> {
  const found = await findSchedule(client, model, name);
  const start = range.from;
  const end = new Date(Math.min(range.to.getTime() + DAY_MS, now.getTime()));
  if (end <= start)
    throw new SluiceError('InvalidInput', '--from must be a day before --to or the same, and not in the future');
  const due = await timesBetween(client, found.scheduleId, start, end);
  if (due.length === 0) throw new SluiceError('InvalidInput', `${name} was not due between these days: nothing to run`);
  if (due.length > MAX_BACKFILL)
    throw new SluiceError(
      'InvalidInput',
      `${due.length} runs at once are too many (${MAX_BACKFILL}): take a shorter range`,
    );
  // The server leaves out an action due at the very start.
  await client.schedule
    .getHandle(found.scheduleId)
    .backfill({ start: new Date(start.getTime() - 1000), end, overlap: 'BUFFER_ALL' });
  return { due: due.map((time) => time.toISOString()), asOfOffsetDays: offsetOf(found) };
}

/** When a schedule is due between two instants, as the server reckons it (time zone, daylight saving, jitter). */
export async function timesBetween(client: Client, id: string, from: Date, to: Date): Promise<Date[]> {
  const timestamp = (date: Date) => ({ seconds: Math.floor(date.getTime() / 1000) as never, nanos: 0 });
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: id,
    startTime: timestamp(from),
    endTime: timestamp(to),
  });
  return (startTime ?? []).map(({ seconds, nanos }) => new Date(Number(seconds) * 1000 + (nanos ?? 0) / 1e6));
}
