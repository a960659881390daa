import { escapeMarkdown, inlineCode, markdownTable } from '../../domain/markdown/escape.js';
import { gateLines, missedGates, overrideWords, type ProposalGate } from '../../domain/thresholds/gates.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { budgetLines, categoryLines, overallLines, weekLines } from '../../domain/thresholds/show.js';
import {
  decisionSections,
  identityLine,
  overridesTable,
  page,
  requestLine,
  stepsTable,
  titleLine,
} from '../common/details.js';
import type { ThresholdsInput, ThresholdsProgress } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, the proposal as a diff, and how to decide. */
export function describeThresholds(input: ThresholdsInput, workflowId: string, progress: ThresholdsProgress): string {
  const { status, why, bundleVersion, generation, approval, proposal, edited, steps, gates = [] } = progress;
  return page(
    titleLine(input.model, `thresholds of ${inlineCode(input.key)}`, status, why),
    requestLine(input.caller),
    identityLine(progress.unproven),
    overridesTable(progress.overrides),
    bundleVersion === null ? null : `Bundle ${inlineCode(bundleVersion)}, generation ${generation ?? '?'}`,
    approval === null ? null : toDecide(approval, gates, input.key, workflowId),
    approval !== null || gates.length === 0 ? null : section(gateLines(gates)),
    edited === null ? null : page('## Approved with edits', ...diff(edited)),
    proposal === null ? null : page('## Proposed', ...diff(proposal)),
    stepsTable(steps),
  );
}

function toDecide(
  approval: NonNullable<ThresholdsProgress['approval']>,
  gates: readonly ProposalGate[],
  key: string,
  workflowId: string,
): string {
  const missed = gates.filter(({ passed }) => !passed).map(({ message }) => message);
  return decisionSections({
    approval,
    name: key,
    overrides: missedGates(approval.proposal.gates ?? []),
    question: [
      ...(missed.length === 0
        ? []
        : [
            `**A release with these figures would not pass its gates: ${escapeMarkdown(missed.join('; '))}.**`,
            'Whoever approves it all the same states so: `"overrides"` names exactly these gates, and whoever does needs the role overrider. That role needs a token, whose proof the command in a terminal makes.',
          ]),
      ...(gates.length === 0 ? [] : [section(gateLines(gates))]),
      section(overallLines(approval.proposal)),
    ],
    hint: 'With other thresholds: add `"edits": {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}` (null: the overall one); `"overrides"` then names the gates that these miss.',
    commands: {
      approve: decideCommand('approve', key, missedGates(approval.proposal.gates ?? [])),
      reject: decideCommand('reject', key),
    },
    workflowId,
  });
}

function diff(summary: ThresholdSummary): string[] {
  const { counts, window, model_version, base, categories, category_names, notes } = summary;
  const further = category_names.length - categories.length;
  return [
    `${counts.labelled} labelled rows with ${counts.frauds} frauds, booked from ${window.from} to ${window.to}, scored by model version ${escapeMarkdown(model_version)}; the old thresholds are those of ${inlineCode(base.version)}. Best at: ${escapeMarkdown(summary.operating)}.`,
    section(overallLines(summary)),
    section(categoryLines(summary)),
    ...(further > 0 ? [`${further} more categories are in ${inlineCode(summary.proposalKey)}.`] : []),
    section(budgetLines(summary)),
    section(weekLines(summary)),
    `Intervals: ${escapeMarkdown(summary.method)}. Backtest: ${escapeMarkdown(summary.backtest.method)}.`,
    ...notes.map((note) => `- ${escapeMarkdown(note)}`),
  ];
}

function section([titles = [], ...rows]: string[][]): string {
  return markdownTable(titles, rows);
}

/** What an approver types. @param missed gates that an approval overrides */
export function decideCommand(verdict: 'approve' | 'reject', key: string, missed: readonly string[] = []): string {
  return `sluice thresholds ${verdict} ${key} --reason WHY${overrideWords(missed)}`;
}
