import { escapeMarkdown, inlineCode } from '../../domain/markdown/escape.js';
import type { Receipt } from '../../domain/release/types.js';
import { callerOf } from '../common/caller.js';
import { page, requestLine, stepsTable, titleLine } from '../common/details.js';
import type { RolloutInput, RolloutProgress } from './contract.js';

/** The rollout as Markdown, for the Temporal UI's current details. */
export function describeRollout(input: RolloutInput, { status, why, steps }: RolloutProgress): string {
  const what = `${inlineCode(input.bundle.version)} → ${escapeMarkdown(input.environment)}`;
  return page(titleLine(input.model, what, status, why), requestLine(callerOf(input)), stepsTable(steps));
}

/** The step `reload` in one line: who loaded the bundle, and who does not answer. */
export function describeReceipts(receipts: readonly Receipt[], silent: readonly string[]): string {
  const each = receipts.map(({ replicaId, loadedInMs }) =>
    loadedInMs === null ? `${replicaId} by its lease` : `${replicaId} in ${Math.round(loadedInMs)} ms`,
  );
  return [...each, ...silent.map((id) => `${id} does not answer and was left out`)].join(', ');
}
