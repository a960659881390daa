import { MODEL_ATTRIBUTE, RELEASE_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { flattenSteps } from '../../workflows/common/progress.js';
import {
  releaseRequest,
  releaseWorkflowId,
  WORKFLOW,
  type ReleaseInput,
  type ReleaseProgress,
} from '../../workflows/releaseModel/contract.js';
import { WORKFLOW as ROLLBACK } from '../../workflows/rollbackRelease/contract.js';
import type { Cli } from '../cli.js';
import { callerBy } from '../runs/operation.js';
import type { RunKind, RunStart } from '../runs/kind.js';
import { pendingWork } from '../runs/watch.js';
import { releaseTiming } from './timing.js';
import { releaseText, type MoreOfRelease } from './view.js';

export interface ReleaseRef {
  model: string;
  releaseId: string;
  /** in a list, which has rollbacks as well */
  kind?: 'release' | 'rollback';
}

/** Releases; the list has rollbacks too, as both change what is live. An id is used once. */
export const RELEASE: RunKind<ReleaseRef, ReleaseProgress> = {
  noun: 'release',
  workflowTypes: [WORKFLOW, ROLLBACK],
  workflowId: ({ model, releaseId }) => releaseWorkflowId(model, releaseId),
  refOf: (workflowId) => {
    const [kind = '', model = '', releaseId = ''] = workflowId.split('/');
    return { releaseId, model, kind: kind as 'release' | 'rollback' };
  },
  words: ({ releaseId }) => releaseId,
  reuse: 'REJECT_DUPLICATE',
  text: releaseText,
  more: async (session, workflowId, progress): Promise<MoreOfRelease & Record<string, unknown>> => {
    const smoked = flattenSteps(progress.steps).find(
      ({ step: { name, status } }) => name === 'smoke' && status === 'done',
    );
    return {
      ...(await pendingWork(session, session.client.workflow.getHandle(workflowId))),
      timing: await releaseTiming(session.client, workflowId, smoked?.step.finishedAt ?? null),
    };
  },
  listed: ({ kind = 'release', model, releaseId }) => `${kind.padEnd(8)}  ${model}  ${releaseId}`,
};

/** What is asked for, by whoever acts. */
export function releaseInput(
  cli: Pick<Cli, 'actor' | 'token'>,
  asked: Omit<ReleaseInput, 'caller'>,
  reason: string,
): ReleaseInput {
  const { model, releaseId } = asked;
  const workflowId = releaseWorkflowId(model, releaseId);
  return {
    ...asked,
    caller: callerBy(cli, reason, { operationId: releaseId, operation: releaseRequest(asked), workflowId }),
  };
}

/** How a release is started. */
export function releaseStart(input: ReleaseInput, stackStartedAt?: Date): RunStart<ReleaseRef> {
  const { model, releaseId, caller } = input;
  return {
    ref: { releaseId, model },
    workflowType: WORKFLOW,
    input,
    summary: `release ${releaseId} of ${model} by ${caller.actor}: ${caller.reason}`,
    searchAttributes: [
      { key: MODEL_ATTRIBUTE, value: model },
      { key: RELEASE_ATTRIBUTE, value: releaseId },
    ],
    ...(stackStartedAt === undefined ? {} : { memo: { stackStartedAt: stackStartedAt.toISOString() } }),
  };
}
