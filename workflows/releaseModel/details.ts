import type { CheckResult } from '../../domain/release/types.js';
import { DECIDE_UPDATE } from '../approval/contract.js';
import type { ReleaseInput, ReleaseProgress } from './contract.js';

function table(checks: readonly CheckResult[]): string[] {
  return [
    '| check | passed | observed | required |',
    '|---|---|---|---|',
    ...checks.map(
      (c) => `| ${c.name} | ${c.passed ? 'yes' : '**no**'} | ${c.observed ?? 'not measured'} | ${c.required} |`,
    ),
  ];
}

/** The run as Markdown, for the Temporal UI's current details: where it stands, and what is to be decided by whom and how. */
export function describeRelease(input: ReleaseInput, workflowId: string, progress: ReleaseProgress): string {
  const lines = [
    `**${input.model}**, release \`${input.releaseId}\`: ${progress.status}${progress.why === null ? '' : ` (${progress.why})`}`,
    '',
  ];
  if (progress.approval !== null) {
    const { digest, deadline, proposal } = progress.approval;
    lines.push(
      `## To decide by ${deadline}`,
      `Promote version ${proposal.modelVersion} to Production? Operating threshold ${proposal.operatingThreshold}; live now: ${proposal.champion?.version ?? 'nothing'}.`,
      '',
      ...table(proposal.gates),
      '',
      `Here: *More Actions → Send an Update*, name \`${DECIDE_UPDATE}\`, with your own name and reason:`,
      '```json',
      JSON.stringify({
        decisionId: `ui-${proposal.releaseId}`,
        verdict: 'approve',
        actor: 'YOUR NAME',
        reason: 'WHY',
        digest,
      }),
      '```',
      `In a terminal: \`sluice release approve ${proposal.releaseId} --reason WHY\` or \`reject\`. Workflow: \`${workflowId}\`.`,
      '',
    );
  } else if (progress.gates.length > 0) lines.push(...table(progress.gates), '');
  lines.push(
    '| step | status | |',
    '|---|---|---|',
    ...progress.steps.map(({ name, status, detail }) => `| ${name} | ${status} | ${detail ?? ''} |`),
  );
  return lines.join('\n');
}
