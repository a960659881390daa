import type { OperationInput } from '../common/operation.js';

export const WORKFLOW = 'applySchedules';
export const STEPS = ['authorise', 'plan', 'apply'] as const;

export function applySchedulesId(operationId: string): string {
  return `apply-schedules/${operationId}`;
}

export interface ApplySchedulesInput extends OperationInput {
  /** null: each schedule keeps the offset it has (a new one: 0) */
  asOfOffsetDays: number | null;
}

/** What the caller is authorised for; the proof covers it. */
export function applyOperation({ asOfOffsetDays }: ApplySchedulesInput): string {
  return `apply-schedules offset ${asOfOffsetDays ?? 'unchanged'}`;
}
