import type { RefreshJob } from '../../domain/refresh/types.js';
import { escapeMarkdown, markdownTable } from '../../domain/markdown/escape.js';
import { DECIDE_UPDATE, type PendingApproval } from '../approval/contract.js';
import type { HeldProposal, JobProgress, RefreshProgress, RefreshRunInput } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, and what is to be decided by whom and how. */
export function describeRefresh(
  input: RefreshRunInput,
  job: RefreshJob | null,
  workflowId: string,
  progress: RefreshProgress,
): string {
  const { status, why, bundleVersion, generation, approval } = progress;
  const sections = [
    `**${input.model}**, ${job ?? 'nightly refresh'} as of ${input.asOf}: ${status}${why === null ? '' : ` (${escapeMarkdown(why)})`}`,
    ...(bundleVersion === null ? [] : [`Bundle \`${bundleVersion}\`, generation ${generation ?? '?'}`]),
    ...(approval === null ? [] : toDecide(approval, input.key, job, workflowId)),
    markdownTable(
      ['job', 'artifact', 'version', 'rows', 'what becomes of it', 'notes'],
      progress.jobs.flatMap(jobRows),
    ),
    markdownTable(
      ['step', 'status', ''],
      progress.steps.map((step) => [step.name, step.status, step.detail ?? '']),
    ),
  ];
  return sections.join('\n\n');
}

function jobRows({ job, state, artifacts, error }: JobProgress): string[][] {
  if (artifacts.length === 0) return [[job, '', '', '', state, error ?? '']];
  return artifacts.map(({ lookup, version, rows, outcome, notes }) => [
    job,
    lookup,
    version,
    String(rows),
    outcome,
    notes.join('; '),
  ]);
}

function toDecide(
  { digest, deadline, proposal }: PendingApproval<HeldProposal>,
  key: string,
  job: RefreshJob | null,
  workflowId: string,
): string[] {
  const example = { decisionId: `ui-${key}`, verdict: 'approve', actor: 'YOUR NAME', reason: 'WHY', digest };
  return [
    `## To decide by ${deadline}`,
    `Beyond its tolerance against \`${proposal.comparedWith}\`, and not live. Publish it?`,
    markdownTable(
      ['artifact', 'check', 'passed', 'observed', 'required', ''],
      proposal.artifacts.flatMap(({ lookup, checks }) =>
        checks.map((check) => [
          lookup,
          check.name,
          check.passed ? 'yes' : 'NO',
          check.observed === null ? 'not measured' : String(check.observed),
          check.required,
          check.message,
        ]),
      ),
    ),
    `Here: *More Actions → Send an Update*, name \`${DECIDE_UPDATE}\`, with your own name and reason:\n` +
      `\`\`\`json\n${JSON.stringify(example)}\n\`\`\``,
    `In a terminal: \`${decideCommand('approve', key, job)}\` or \`reject\`. Workflow: \`${workflowId}\`.`,
  ];
}

/** What to type to decide. */
export function decideCommand(verdict: string, key: string, job: RefreshJob | null): string {
  return `sluice refresh ${verdict} ${key}${job === null ? '' : ` --job ${job}`} --reason WHY`;
}
