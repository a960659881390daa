import {
  thresholdsWorkflowId,
  WORKFLOW,
  type ThresholdsInput,
  type ThresholdsProgress,
} from '../../workflows/recalibrateThresholds/contract.js';
import type { RunKind, RunStart } from '../runs/kind.js';
import { proposalText, thresholdsText } from './view.js';

export interface ThresholdsRef {
  key: string;
  model: string;
}

/** Recalibrations. A key has one; one that failed, or found too little feedback, may be tried again. */
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
  mayRepeat: ({ status }) => status === 'NotEnoughFeedback',
  text: thresholdsText,
  proposal: ({ proposal }) => (proposal === null ? '' : proposalText(proposal)),
  listed: ({ model, key }) => `${model}  ${key}`,
};

/** How a recalibration is started. */
export function thresholdsStart(input: ThresholdsInput): RunStart<ThresholdsRef> {
  const { model, key, asOf, caller } = input;
  return {
    ref: { model, key },
    workflowType: WORKFLOW,
    input,
    summary: `thresholds of ${model} as of ${asOf}, by ${caller.actor}: ${caller.reason}`,
  };
}
