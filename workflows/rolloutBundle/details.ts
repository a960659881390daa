import { escapeMarkdown, inlineCode } from '../../domain/markdown/escape.js';
import { callerOf } from '../common/caller.js';
import { page, requestLine, stepsTable, titleLine } from '../common/details.js';
import type { RolloutInput, RolloutProgress } from './contract.js';

/** The rollout as Markdown, for the Temporal UI's current details. */
export function describeRollout(input: RolloutInput, { status, why, steps }: RolloutProgress): string {
  const what = `${inlineCode(input.bundle.version)} → ${escapeMarkdown(input.environment)}`;
  return page(titleLine(input.model, what, status, why), requestLine(callerOf(input)), stepsTable(steps));
}
