import { escapeMarkdown, markdownTable } from '../../domain/markdown/escape.js';
import type { StepProgress } from '../common/progress.js';
import type { RolloutInput } from './contract.js';

/** The rollout as Markdown, for the Temporal UI's current details. */
export function describeRollout(input: RolloutInput, steps: readonly StepProgress[]): string {
  return [
    `**${input.bundle.version}** → ${input.environment}, by ${escapeMarkdown(input.actor)}: ${escapeMarkdown(input.reason)}`,
    markdownTable(
      ['step', 'status', ''],
      steps.map(({ name, status, detail }) => [name, status, detail ?? '']),
    ),
  ].join('\n\n');
}
