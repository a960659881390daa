import type { OperationInput } from '../common/operation.js';

export const WORKFLOW = 'pinBundle';
export const STEPS = ['authorise', 'find', 'pin'] as const;

export function pinBundleId(model: string, operationId: string): string {
  return `pin/${model}/${operationId}`;
}

export interface PinBundleInput extends OperationInput {
  model: string;
  version: string;
  /** false takes a pin away */
  pinned: boolean;
}

/** What the caller is authorised for; the proof covers it. */
export function pinOperation({ model, version, pinned }: PinBundleInput): string {
  return `${pinned ? 'pin' : 'unpin'} ${model} ${version}`;
}

export interface PinBundleResult {
  model: string;
  version: string;
  actor: string;
  reason: string;
  /** ISO */
  at: string;
}
