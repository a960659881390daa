import type { WorkflowExecutionInfo } from '@temporalio/client';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import type { Session } from '../session.js';
import type { RunKind, RunProgress, RunRef } from './kind.js';

/** A run in a list. Times are ISO. */
export interface ListedRun {
  status: string;
  startedAt: string;
  closedAt: string | null;
  workflowId: string;
}

type Info = Pick<WorkflowExecutionInfo, 'workflowId' | 'startTime' | 'closeTime' | 'parentExecution'> & {
  status: { name: WorkflowExecutionInfo['status']['name'] };
  typedSearchAttributes: Pick<WorkflowExecutionInfo['typedSearchAttributes'], 'get'>;
};

/** Runs of a kind, those that started last first. */
export async function listRuns<Ref extends RunRef, Progress extends RunProgress>(
  session: Session,
  kind: RunKind<Ref, Progress>,
  limit: number,
): Promise<(Ref & ListedRun)[]> {
  const types = kind.workflowTypes.map((name) => `'${name}'`).join(', ');
  const infos = session.client.workflow.list({ query: `WorkflowType IN (${types})` });
  const listed = (info: Info): boolean => kind.isListed?.(info.parentExecution?.workflowId ?? undefined) ?? true;
  return (await newest(infos, limit, listed)).map((info) => ({
    ...kind.refOf(info.workflowId),
    status: statusOf(info),
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
    workflowId: info.workflowId,
  }));
}

/**
 * The runs that started last, newest first. Temporal lists open runs and then those that closed last: one that closed before the oldest of the chosen began
 * cannot have started later, nor can any that follow it, so the rest need not be read.
 */
export async function newest<T extends Info>(
  infos: AsyncIterable<T>,
  limit: number,
  listed: (info: T) => boolean,
): Promise<T[]> {
  let chosen: T[] = [];
  for await (const info of infos) {
    const oldest = chosen[limit - 1];
    if (oldest !== undefined && info.closeTime !== undefined && info.closeTime < oldest.startTime) break;
    if (!listed(info)) continue;
    chosen = [...chosen, info].sort((a, b) => b.startTime.getTime() - a.startTime.getTime()).slice(0, limit);
  }
  return chosen;
}

const OWN_WORDS: Partial<Record<Info['status']['name'], string>> = {
  RUNNING: 'Running',
  COMPLETED: 'Completed',
  FAILED: 'Failed',
  CANCELLED: 'Cancelled',
};
const CUT_OFF: Partial<Record<Info['status']['name'], string>> = {
  TERMINATED: 'Terminated',
  TIMED_OUT: 'TimedOut',
  CONTINUED_AS_NEW: 'ContinuedAsNew',
  PAUSED: 'Paused',
};
const NOT_LAST = new Set(['Running', 'WaitingForApproval']);

/**
 * How a run stands in a list: in its own words where it has had the last one. One that was terminated, timed out, or failed in its first moments has not, and
 * what it last said of itself is no longer true.
 */
export function statusOf({
  status: { name },
  typedSearchAttributes,
}: Pick<Info, 'status' | 'typedSearchAttributes'>): string {
  const cutOff = CUT_OFF[name];
  if (cutOff !== undefined) return cutOff;
  const said = typedSearchAttributes.get(STATUS_ATTRIBUTE);
  return said === undefined || (name !== 'RUNNING' && NOT_LAST.has(said)) ? (OWN_WORDS[name] ?? name) : said;
}
