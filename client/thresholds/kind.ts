import { missedGates, overrideWords } from '../../domain/thresholds/gates.js';
import {
  thresholdsRequest,
  thresholdsWorkflowId,
  WORKFLOW,
  type ThresholdsInput,
  type ThresholdsProgress,
} from '../../workflows/recalibrateThresholds/contract.js';
import type { Cli } from '../cli.js';
import { callerBy } from '../runs/operation.js';
import type { RunKind, RunStart } from '../runs/kind.js';
import { proposalText, thresholdsText } from './view.js';

export interface ThresholdsRef {
  key: string;
  model: string;
}

/** Recalibrations. A key has one; one that failed, or found too little feedback or nothing live, may be tried again. */
export const THRESHOLDS: RunKind<ThresholdsRef, ThresholdsProgress> = {
  noun: 'thresholds',
  workflowTypes: [WORKFLOW],
  workflowId: ({ model, key }) => thresholdsWorkflowId(model, key),
  refOf: (workflowId) => {
    const [, model = '', key = ''] = workflowId.split('/');
    return { key, model };
  },
  words: ({ key }) => key,
  reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
  mayRepeat: ({ status }) => status === 'NotEnoughFeedback' || status === 'NothingLive',
  text: thresholdsText,
  now: async ({ settings }, runs) => {
    const live = runs.filter(({ status }) => status === 'Live');
    const { notInForce } = await import('./in-force.js');
    const replaced = await notInForce(
      settings,
      live.map(({ ref }) => ref),
    );
    return (ref, status) => (status === 'Live' && replaced(ref) ? 'Replaced' : status);
  },
  proposal: ({ proposal, gates }) => (proposal === null ? '' : proposalText(proposal, gates)),
  approveWords: ({ approval }) => overrideWords(missedGates(approval?.proposal.gates ?? [])),
  listed: ({ model, key }) => `${model}  ${key}`,
};

/** How a recalibration is started. */
export function thresholdsStart(
  cli: Pick<Cli, 'actor' | 'token'>,
  asked: Omit<ThresholdsInput, 'caller'>,
  reason: string,
): RunStart<ThresholdsRef> {
  const { model, key, asOf } = asked;
  const ref = { model, key };
  const operation = thresholdsRequest(asked);
  const caller = callerBy(cli, reason, { operationId: key, operation, workflowId: THRESHOLDS.workflowId(ref) });
  return {
    ref,
    workflowType: WORKFLOW,
    input: { ...asked, caller } satisfies ThresholdsInput,
    summary: `thresholds of ${model} as of ${asOf} by ${caller.actor}: ${reason}`,
  };
}
