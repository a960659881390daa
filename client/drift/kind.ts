import { runKey } from '../../domain/runs/key.js';
import {
  driftWorkflowId,
  WORKFLOW,
  type DriftInput,
  type DriftProgress,
} from '../../workflows/monitorDrift/contract.js';
import type { Cli } from '../cli.js';
import type { RunKind, RunStart } from '../runs/kind.js';
import { outcomeText } from './view.js';

export interface DriftRef {
  model: string;
  key: string;
}

/** Drift runs. A key has one; one that failed, or ended without a verdict, may be run again. */
export const DRIFT: RunKind<DriftRef, DriftProgress> = {
  noun: 'drift',
  workflowTypes: [WORKFLOW],
  workflowId: ({ model, key }) => driftWorkflowId(model, key),
  refOf: (workflowId) => {
    const [, model = '', key = ''] = workflowId.split('/');
    return { model, key };
  },
  words: ({ key }) => key,
  reuse: 'ALLOW_DUPLICATE_FAILED_ONLY',
  mayRepeat: ({ status }) => status === 'Inconclusive',
  text: outcomeText,
  listed: ({ model, key }) => `${model}  ${key}`,
};

/** How a day's comparison, or a week's snapshot, is started. */
export function driftStart(
  { actor }: Pick<Cli, 'actor'>,
  model: string,
  asOf: string,
  kind: DriftInput['kind'],
): RunStart<DriftRef> {
  const day = runKey(asOf);
  const key = kind === 'weekly' ? `weekly-${day}` : day;
  return {
    ref: { model, key },
    workflowType: WORKFLOW,
    input: { model, asOf, key, kind } satisfies DriftInput,
    summary: `${kind === 'weekly' ? 'weekly snapshot' : 'drift'} of ${model} as of ${asOf} by ${actor}`,
  };
}
