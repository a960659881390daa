import { budgetLines, categoryLines, overallLines, weekLines } from '../../domain/thresholds/show.js';
import { gateLines, type ProposalGate } from '../../domain/thresholds/gates.js';
import { paddedTable } from '../../domain/notification/table.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { ThresholdsProgress } from '../../workflows/recalibrateThresholds/contract.js';
import type { Shown } from '../runs/kind.js';
import { recordLines, stepLines } from '../runs/text.js';

/** The whole of a recalibration for people. */
export function thresholdsText(
  { ref: { key }, progress, error, url, approve }: Shown<{ key: string }, ThresholdsProgress>,
  withSteps: boolean,
): string {
  const { status, why, bundleVersion, generation, approval, proposal, edited, decidedBy, gates = [] } = progress;
  const lines = [`thresholds ${key}: ${status}${why === null ? '' : `, ${why}`}`];
  if (bundleVersion !== null)
    lines.push(`bundle ${bundleVersion}${generation === null ? '' : `, generation ${generation}`}`);
  if (decidedBy !== null) lines.push(`decided by ${decidedBy}: ${progress.decisionReason ?? ''}`);
  lines.push(...recordLines(progress));
  if (withSteps) lines.push('', ...stepLines(progress.steps));
  if (edited !== null) lines.push('', 'approved with edits', ...proposalLines(edited));
  else if (proposal !== null) lines.push('', ...proposalLines(proposal));
  lines.push(...gateSection(gates));
  if (approval !== null)
    lines.push('', `To decide by ${approval.deadline}: ${approve}   (or reject)`, `digest ${approval.digest}`);
  if (error !== null && error !== why) lines.push('', `ended with: ${error}`);
  return [...lines, url].join('\n');
}

/** What is proposed: old and new, figures with intervals, backtest. */
export function proposalText(summary: ThresholdSummary, gates: readonly ProposalGate[] = []): string {
  return [...proposalLines(summary), ...gateSection(gates)].join('\n');
}

function gateSection(gates: readonly ProposalGate[]): string[] {
  return gates.length === 0 ? [] : ['', paddedTable(gateLines(gates))];
}

function proposalLines(summary: ThresholdSummary): string[] {
  const { counts, window, model_version, base, category_names, categories, notes } = summary;
  const further = category_names.length - categories.length;
  return [
    `${counts.labelled} labelled rows with ${counts.frauds} frauds, booked from ${window.from} to ${window.to},`,
    `scored by model version ${model_version}; old thresholds: ${base.version}; best at: ${summary.operating}`,
    '',
    paddedTable(overallLines(summary)),
    '',
    paddedTable(categoryLines(summary)),
    ...(further > 0 ? [`${further} more categories are in ${summary.proposalKey}`] : []),
    '',
    paddedTable(budgetLines(summary)),
    '',
    paddedTable(weekLines(summary)),
    '',
    `intervals: ${summary.method}`,
    `backtest: ${summary.backtest.method}`,
    ...notes.map((note) => `note: ${note}`),
  ];
}
