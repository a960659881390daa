import { escapeMarkdown, inlineCode } from '../../domain/markdown/escape.js';
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
  const { status, why, approval, gates, steps, overrideReason } = progress;
  return page(
    titleLine(input.model, `release ${inlineCode(input.releaseId)}`, status, why),
    requestLine(input.caller),
    identityLine(progress.unproven),
    overridesTable(progress.overrides),
    overrideReason === undefined ? null : `Why the spec does not hold here: ${escapeMarkdown(overrideReason)}`,
    approval === null ? (gates.length === 0 ? null : checksTable(gates)) : toDecide(approval, workflowId),
    stepsTable(steps),
  );
}

function toDecide(approval: NonNullable<ReleaseProgress['approval']>, workflowId: string): string {
  const { releaseId, modelVersion, operatingThreshold, champion, gates } = approval.proposal;
  return decisionSections({
    approval,
    name: releaseId,
    question: [
      `Promote version ${inlineCode(modelVersion)} to Production? Operating threshold ${operatingThreshold}; live now: ${champion === null ? 'nothing' : inlineCode(champion.version)}.`,
      checksTable(gates),
    ],
    commands: { approve: decideCommand('approve', releaseId), reject: decideCommand('reject', releaseId) },
    workflowId,
  });
}

/** What an approver types. */
export function decideCommand(verdict: 'approve' | 'reject', releaseId: string): string {
  return `sluice release ${verdict} ${releaseId} --reason WHY`;
}
