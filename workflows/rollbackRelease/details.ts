import { escapeMarkdown } from '../../domain/markdown/escape.js';
import { page, requestLine, stepsTable, titleLine } from '../common/details.js';
import type { RollbackInput, RollbackProgress } from './contract.js';

/** The rollback as Markdown, for the Temporal UI's current details. */
export function describeRollback(input: RollbackInput, { status, why, steps }: RollbackProgress): string {
  return page(
    titleLine(input.model, `rollback of ${escapeMarkdown(input.environment)}`, status, why),
    requestLine(input.caller),
    stepsTable(steps),
  );
}
