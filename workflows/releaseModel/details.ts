import { escapeMarkdown, inlineCode, markdownTable, shortened } from '../../domain/markdown/escape.js';
import { comparisonTable, fourDigits } from '../../domain/release/comparison.js';
import {
  checksTable,
  decisionSections,
  identityLine,
  overridesTable,
  page,
  requestLine,
  stepsTable,
  titleLine,
} from '../common/details.js';
import type { ReleaseInput, ReleaseProgress } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, and what is to be decided by whom and how. */
export function describeRelease(input: ReleaseInput, workflowId: string, progress: ReleaseProgress): string {
  const { status, why, approval, gates, steps, data, dataSnapshotId, training, overrideReason } = progress;
  return page(
    titleLine(input.model, `release ${inlineCode(input.releaseId)}`, status, why),
    requestLine(input.caller),
    identityLine(progress.unproven),
    overridesTable(progress.overrides),
    overrideReason === undefined
      ? null
      : `Why the spec does not hold here: ${escapeMarkdown(shortened(overrideReason))}`,
    data ? dataLine(data, dataSnapshotId) : null,
    training === null ? null : trainingLine(input, training),
    approval === null ? (gates.length === 0 ? null : checksTable(gates)) : toDecide(approval, workflowId),
    stepsTable(steps),
  );
}

function toDecide(approval: NonNullable<ReleaseProgress['approval']>, workflowId: string): string {
  const { releaseId, modelVersion, operatingThreshold, champion, gates, metrics } = approval.proposal;
  return decisionSections({
    approval,
    name: releaseId,
    question: [
      `Promote version ${inlineCode(modelVersion)} to Production? Operating threshold ${fourDigits(operatingThreshold)}; live now: ${champion === null ? 'nothing' : `${inlineCode(champion.version)}, the champion`}.`,
      ...tableOf(comparisonTable(metrics, champion, gates)),
    ],
    commands: { approve: decideCommand('approve', releaseId), reject: decideCommand('reject', releaseId) },
    workflowId,
  });
}

function dataLine(data: NonNullable<ReleaseProgress['data']>, snapshotId: string | null): string {
  const { from, to, rows, positives } = data;
  const share = fourDigits((100 * positives) / rows);
  return `Data: ${rows} transactions with ${positives} frauds (${share} %), from ${from} to ${to}, snapshot ${inlineCode(snapshotId ?? '?')}.`;
}

function trainingLine({ overrides }: ReleaseInput, { runId }: NonNullable<ReleaseProgress['training']>): string {
  const seed = overrides?.seed === undefined ? "the spec's seed" : `seed ${overrides.seed}`;
  return `Training: MLflow run ${inlineCode(runId)}, the spec's parameters, ${seed}.`;
}

function tableOf([titles = [], ...rows]: string[][]): string[] {
  return [markdownTable(titles, rows)];
}

/** What an approver types. */
export function decideCommand(verdict: 'approve' | 'reject', releaseId: string): string {
  return `sluice release ${verdict} ${releaseId} --reason WHY`;
}
