import { escapeMarkdown, markdownTable } from '../../domain/markdown/escape.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { budgetLines, categoryLines, overallLines, weekLines } from '../../domain/thresholds/show.js';
import { DECIDE_UPDATE, type PendingApproval } from '../approval/contract.js';
import type { ThresholdsInput, ThresholdsProgress } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, the proposal as a diff, and how to decide. */
export function describeThresholds(input: ThresholdsInput, workflowId: string, progress: ThresholdsProgress): string {
  const { status, why, bundleVersion, generation, approval, proposal, edited } = progress;
  return [
    `**${input.model}**, thresholds of \`${input.key}\`: ${status}${why === null ? '' : ` (${escapeMarkdown(why)})`}`,
    ...(bundleVersion === null ? [] : [`Bundle \`${bundleVersion}\`, generation ${generation ?? '?'}`]),
    ...(approval === null ? [] : toDecide(approval, input.key, workflowId)),
    ...(edited === null ? [] : ['## Approved with edits', ...diff(edited)]),
    ...(proposal === null ? [] : ['## Proposed', ...diff(proposal)]),
    markdownTable(
      ['step', 'status', ''],
      progress.steps.map((step) => [step.name, step.status, step.detail ?? '']),
    ),
  ].join('\n\n');
}

function toDecide({ digest, deadline }: PendingApproval<ThresholdSummary>, key: string, workflowId: string): string[] {
  const example = { decisionId: `ui-${key}`, verdict: 'approve', actor: 'YOUR NAME', reason: 'WHY', digest };
  return [
    `## To decide by ${deadline}`,
    `Here: *More Actions → Send an Update*, name \`${DECIDE_UPDATE}\`, with your own name and reason:`,
    `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``,
    'With other thresholds: add `"edits": {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}` (null: the overall one).',
    `In a terminal: \`sluice thresholds approve ${key} --reason WHY\` or \`reject\`. Workflow: \`${workflowId}\`.`,
  ];
}

function diff(summary: ThresholdSummary): string[] {
  const { counts, window, model_version, base, categories, category_names, notes } = summary;
  const further = category_names.length - categories.length;
  const section = ([titles = [], ...rows]: string[][]): string => markdownTable(titles, rows);
  return [
    `${counts.labelled} labelled rows with ${counts.frauds} frauds, booked from ${window.from} to ${window.to}, scored by model version ${escapeMarkdown(model_version)}; the old thresholds are those of \`${base.version}\`. Best at: ${summary.operating}.`,
    section(overallLines(summary)),
    section(categoryLines(summary)),
    ...(further > 0 ? [`${further} more categories stand in \`${summary.proposalKey}\`.`] : []),
    section(budgetLines(summary)),
    section(weekLines(summary)),
    `Intervals: ${escapeMarkdown(summary.method)}. Backtest: ${escapeMarkdown(summary.backtest.method)}.`,
    ...notes.map((note) => `- ${escapeMarkdown(note)}`),
  ];
}
