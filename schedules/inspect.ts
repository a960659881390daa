import { WorkflowFailedError, WorkflowNotFoundError, type Client, type ScheduleDescription } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { readScheduleMark } from '../domain/schedules/mark.js';
import type { LaunchResult } from '../workflows/launchScheduled/contract.js';
import { describeOrNull, offsetOf } from './apply.js';

/** How one schedule of ours stands. Times are ISO. */
export interface ScheduleState {
  scheduleId: string;
  model: string;
  name: string;
  paused: boolean;
  note: string;
  asOfOffsetDays: number;
  nextRuns: string[];
  lastRun: LastRun | null;
  /** launchers at work now */
  running: string[];
  runs: number;
  /** due while an earlier run was still at work: Temporal drops these in silence */
  skippedByOverlap: number;
  /** due while the server was down, for longer than the catch-up window */
  missedCatchup: number;
}

export interface LastRun {
  scheduledAt: string;
  /** of the launcher */
  workflowId: string;
  runId: string;
  /** Temporal's status of the launcher; `gone` past the server's retention */
  status: string;
  /** what the launcher came to, once it has completed */
  result: LaunchResult | null;
  /** why its run failed, also where the schedule goes on; else null */
  why: string | null;
}

/** Every schedule of ours, by model and name. */
export async function listSchedules(client: Client, model?: string): Promise<ScheduleState[]> {
  const found: ScheduleState[] = [];
  for await (const { scheduleId, memo } of client.schedule.list()) {
    const mark = readScheduleMark(memo);
    if (mark === null || (model !== undefined && mark.model !== model)) continue;
    const description = await describeOrNull(client.schedule, scheduleId);
    if (description !== null) found.push(await stateOf(client, description, mark.model, mark.schedule));
  }
  return found.sort((a, b) => a.scheduleId.localeCompare(b.scheduleId));
}

async function stateOf(
  client: Client,
  description: ScheduleDescription,
  model: string,
  name: string,
): Promise<ScheduleState> {
  const { scheduleId, state, info } = description;
  const iso = (date: Date): string => date.toISOString();
  return {
    scheduleId,
    model,
    name,
    paused: state.paused,
    note: state.note ?? '',
    asOfOffsetDays: offsetOf(description),
    nextRuns: state.paused ? [] : info.nextActionTimes.slice(0, 3).map(iso),
    lastRun: await lastRunOf(client, info.recentActions.at(-1)),
    running: info.runningActions.map(({ workflow }) => workflow.workflowId),
    runs: info.numActionsTaken,
    skippedByOverlap: info.numActionsSkippedOverlap,
    missedCatchup: info.numActionsMissedCatchupWindow,
  };
}

async function lastRunOf(
  client: Client,
  last: ScheduleDescription['info']['recentActions'][number] | undefined,
): Promise<LastRun | null> {
  if (last === undefined) return null;
  const { workflowId, firstExecutionRunId: runId } = last.action.workflow;
  const base = { scheduledAt: last.scheduledAt.toISOString(), workflowId, runId };
  const handle = client.workflow.getHandle(workflowId, runId);
  try {
    const status = (await handle.describe()).status.name;
    if (status === 'RUNNING') return { ...base, status, result: null, why: null };
    const result = (await handle.result()) as LaunchResult;
    return { ...base, status, result, why: result.why ?? null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { ...base, status: 'gone', result: null, why: null };
    if (error instanceof WorkflowFailedError) {
      const why = rootCause(error.cause) ?? error.message;
      return { ...base, status: (await handle.describe()).status.name, result: null, why };
    }
    throw error;
  }
}
