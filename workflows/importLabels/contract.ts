import type { LabelRow, RecordedBatch } from '../../activities/labels/contract.js';
import type { OperationInput } from '../common/operation.js';

export type { LabelRow, RecordedBatch };

export const WORKFLOW = 'importLabels';
/** update: records one batch and answers what that did; a batch that is sent again is answered, not recorded again */
export const RECORD_UPDATE = 'recordBatch';
/** signal: no batch follows */
export const FINISH_SIGNAL = 'finish';
/** rows in a batch, at most: some 100 KB, where Temporal warns at 256 KB and refuses 2 MB */
export const BATCH_ROWS = 1_000;
/** batches in one run's history, which then begins anew */
export const BATCHES_PER_RUN = 50;
/** an import that is sent nothing for so long has lost its sender */
export const IDLE_MINUTES = 15;

export function importLabelsId(model: string, operationId: string): string {
  return `import-labels/${model}/${operationId}`;
}

export interface ImportLabelsInput extends OperationInput {
  model: string;
  /** of a run that goes on from another: the batches that were recorded, and the answer to the last one */
  goesOn?: { batches: number; last: RecordedBatch };
}

/** What the caller is authorised for; the proof covers it. */
export function importOperation({ model }: ImportLabelsInput): string {
  return `import-labels ${model}`;
}

export interface LabelBatch {
  /** 0, 1, 2, … */
  index: number;
  labels: LabelRow[];
}

export interface ImportLabelsResult {
  batches: number;
  /** abandoned: no batch came for long; what was recorded stays */
  outcome: 'finished' | 'abandoned';
}
