import type { RefreshJob } from '../../domain/refresh/types.js';
import {
  JOB_WORKFLOWS,
  NIGHTLY_WORKFLOW,
  refreshRequest,
  refreshWorkflowId,
  type RefreshProgress,
  type RefreshRunInput,
} from '../../workflows/refresh/contract.js';
import type { Cli } from '../cli.js';
import { callerBy } from '../runs/operation.js';
import type { RunKind, RunStart } from '../runs/kind.js';
import { refreshText } from './view.js';

export interface RefreshRef {
  key: string;
  /** null: the whole night */
  job: RefreshJob | null;
  model: string;
}

const words = ({ key, job }: RefreshRef): string => `${key}${job === null ? '' : ` --job ${job}`}`;

/**
 * Nights, and jobs that ran alone; a job inside a night is in the night's own view. A run that has ended may be run again: jobs answer from what they
 * stored, and what is live already is not published twice.
 */
export const REFRESH: RunKind<RefreshRef, RefreshProgress> = {
  noun: 'refresh',
  workflowTypes: [NIGHTLY_WORKFLOW, ...Object.values(JOB_WORKFLOWS)],
  workflowId: ({ model, key, job }) => refreshWorkflowId(model, key, job),
  refOf: (workflowId) => {
    const [, model = '', key = '', job = null] = workflowId.split('/');
    return { key, job: job as RefreshJob | null, model };
  },
  isListed: (parent) => parent?.startsWith('refresh/') !== true,
  words,
  reuse: 'ALLOW_DUPLICATE',
  text: refreshText,
  items: ({ jobs }) => jobs.map(({ job, state, error }) => ({ name: job, state, line: `${job}: ${error ?? state}` })),
  proposal: ({ approval }) =>
    `held, beyond tolerance: ${approval?.proposal.artifacts.map(({ lookup }) => lookup).join(', ') ?? ''}`,
  listed: ({ model, key, job }) => `${model}  ${key}  ${job ?? 'night'}`,
};

/** How a night, or one of its jobs, is started. */
export function refreshStart(
  cli: Pick<Cli, 'actor' | 'token'>,
  asked: Omit<RefreshRunInput, 'caller'>,
  reason: string,
  job: RefreshJob | null,
): RunStart<RefreshRef> {
  const { model, key, asOf } = asked;
  const ref = { model, key, job };
  const operation = refreshRequest(asked, job);
  const caller = callerBy(cli, reason, { operationId: key, operation, workflowId: REFRESH.workflowId(ref) });
  return {
    ref,
    workflowType: job === null ? NIGHTLY_WORKFLOW : JOB_WORKFLOWS[job],
    input: { ...asked, caller } satisfies RefreshRunInput,
    summary: `${job ?? 'nightly refresh'} of ${model} as of ${asOf} by ${cli.actor}: ${reason}`,
  };
}
