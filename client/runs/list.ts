import type { WorkflowExecutionInfo } from '@temporalio/client';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import type { CutOff } from '../exit-codes.js';
import type { Session } from '../session.js';
import type { RunKind, RunProgress, RunRef } from './kind.js';

/** A run in a list. Times are ISO. */
export interface ListedRun {
  status: string;
  startedAt: string;
  closedAt: string | null;
  workflowId: string;
  /** what was asked for, by whom and why, as whoever started it put it; null where Temporal does not say */
  summary: string | null;
}

type Info = Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'startTime' | 'closeTime' | 'parentExecution'> & {
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
  const chosen = await newest(infos, limit, listed);
  const summaries = await summariesOf(session, chosen);
  const runs = chosen.map((info) => ({ info, ref: kind.refOf(info.workflowId), status: statusOf(info) }));
  const now = (await kind.now?.(session, runs)) ?? ((_, said) => said);
  return runs.map(({ info, ref, status }, index) => ({
    ...ref,
    status: now(ref, status),
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
    workflowId: info.workflowId,
    summary: summaries[index] ?? null,
  }));
}

/** asked for side by side */
const DESCRIBED_AT_ONCE = 20;

/** The first lines of the runs' pages, in order: a list of Temporal's does not have them. */
export async function summariesOf(
  { client }: Pick<Session, 'client'>,
  runs: readonly Pick<WorkflowExecutionInfo, 'workflowId' | 'runId'>[],
): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (let from = 0; from < runs.length; from += DESCRIBED_AT_ONCE) {
    const described = runs.slice(from, from + DESCRIBED_AT_ONCE).map(async ({ workflowId, runId }) => {
      const description = await client.workflow.getHandle(workflowId, runId).describe();
      return (await description.staticSummary()) ?? null;
    });
    found.push(...(await Promise.all(described.map((one) => one.catch(() => null)))));
  }
  return found;
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

type Standing = Info['status']['name'];

const OWN_WORDS: Partial<Record<Standing, string>> = { RUNNING: 'Running', COMPLETED: 'Completed', FAILED: 'Failed' };
const CUT_OFF: Partial<Record<Standing, CutOff>> = {
  CANCELLED: 'Cancelled',
  TERMINATED: 'Terminated',
  TIMED_OUT: 'TimedOut',
};
const MOVED: Partial<Record<Standing, string>> = { CONTINUED_AS_NEW: 'ContinuedAsNew', PAUSED: 'Paused' };
const NOT_LAST = new Set(['Running', 'WaitingForApproval']);

/** How a run ended that was cut off, whatever it last said of itself; null for every other run. */
export function cutOff(name: Standing): CutOff | null {
  return CUT_OFF[name] ?? null;
}

/**
 * How a run stands in a list: in its own words where it has had the last one. One that was cancelled, terminated, timed out, or failed in its first moments
 * has not, and what it last said of itself is not how it ended.
 */
export function statusOf({
  status: { name },
  typedSearchAttributes,
}: Pick<Info, 'status' | 'typedSearchAttributes'>): string {
  const ended = cutOff(name) ?? MOVED[name];
  if (ended !== undefined) return ended;
  const said = typedSearchAttributes.get(STATUS_ATTRIBUTE);
  return said === undefined || (name !== 'RUNNING' && NOT_LAST.has(said)) ? (OWN_WORDS[name] ?? name) : said;
}
