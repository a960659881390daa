import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, rootCause } from '@temporalio/common';
import { CANCELLED } from '../../domain/schedules/outcome.js';
import { readScheduleMark } from '../../domain/schedules/mark.js';
import { heartbeating } from '../heartbeat.js';
import type { AwaitRunActivities, RunState, ScheduleActivities, ScheduleLoss } from './contract.js';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

const WAITING = 'WaitingForApproval';
const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 5_000;

export interface ScheduleDeps {
  client: Client;
}

export function createScheduleActivities({ client }: ScheduleDeps): AwaitRunActivities & ScheduleActivities {
  return {
    awaitRun: ({ workflowId }) =>
      heartbeating(async (signal) => {
        for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, SLOWEST_POLL_MS)) {
          const state = await client.withAbortSignal(signal, () => stateOf(client, workflowId));
          if (state !== null) return state;
          await delay(pollMs, undefined, { signal });
        }
      }),

    async scheduleLosses() {
      const losses: ScheduleLoss[] = [];
      for await (const { scheduleId, memo } of client.schedule.list()) {
        const mark = readScheduleMark(memo);
        if (mark === null) continue;
        const { info } = await client.schedule.getHandle(scheduleId).describe();
        const { numActionsSkippedOverlap, numActionsMissedCatchupWindow } = info;
        if (numActionsSkippedOverlap + numActionsMissedCatchupWindow === 0) continue;
        losses.push({
          model: mark.model,
          schedule: mark.schedule,
          createdAt: info.createdAt.toISOString(),
          skippedByOverlap: numActionsSkippedOverlap,
          missedCatchup: numActionsMissedCatchupWindow,
        });
      }
      return losses;
    },
  };
}

/** Null while it is at work. A run continued as new is at work: its newest run is the one described. */
async function stateOf(client: Client, workflowId: string): Promise<RunState | null> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { status, typedSearchAttributes, runId } = await handle.describe();
    if (status.name === 'RUNNING')
      return typedSearchAttributes.get(STATUS_ATTRIBUTE) === WAITING ? { state: 'waiting-for-approval' } : null;
    await client.workflow.getHandle(workflowId, runId).result();
    return { state: 'completed', status: typedSearchAttributes.get(STATUS_ATTRIBUTE) ?? null };
  } catch (error) {
    if (error instanceof WorkflowFailedError)
      return {
        state: 'failed',
        why: `failed: ${rootCause(error.cause) ?? error.message}`,
        type: failureTypeOf(error.cause),
      };
    if (error instanceof WorkflowNotFoundError) return { state: 'failed', why: 'is gone from Temporal', type: null };
    throw error;
  }
}

/** The type of the innermost failure that has one. */
function failureTypeOf(failure: unknown): string | null {
  if (failure instanceof CancelledFailure) return CANCELLED;
  let type: string | null = null;
  for (let cause = failure; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ApplicationFailure) type = cause.type ?? type;
  return type;
}
