import type { RefreshJob } from '../../domain/refresh/types.js';
import { escapeMarkdown, inlineCode, markdownTable } from '../../domain/markdown/escape.js';
import { fourDigits } from '../../domain/release/comparison.js';
import type { Called } from '../common/caller.js';
import { decisionSections, identityLine, page, requestLine, stepsTable, titleLine } from '../common/details.js';
import type { JobProgress, RefreshProgress, RefreshRunInput } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, and what is to be decided by whom and how. */
export function describeRefresh(
  input: RefreshRunInput & Called,
  job: RefreshJob | null,
  workflowId: string,
  progress: RefreshProgress,
): string {
  const { status, why, bundleVersion, generation, approval, jobs, steps } = progress;
  return page(
    titleLine(input.model, `${job ?? 'nightly refresh'} as of ${escapeMarkdown(input.asOf)}`, status, why),
    requestLine(input.caller),
    identityLine(progress.unproven),
    bundleVersion === null ? null : `Bundle ${inlineCode(bundleVersion)}, generation ${generation ?? '?'}`,
    approval === null ? null : toDecide(approval, input.key, job, workflowId),
    markdownTable(['job', 'artifact', 'version', 'rows', 'outcome', 'notes'], jobs.flatMap(jobRows)),
    stepsTable(steps),
  );
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
  approval: NonNullable<RefreshProgress['approval']>,
  key: string,
  job: RefreshJob | null,
  workflowId: string,
): string {
  const { comparedWith, artifacts } = approval.proposal;
  return decisionSections({
    approval,
    name: key,
    question: [
      `Beyond its tolerance against ${inlineCode(comparedWith)}, and not live. Publish it?`,
      markdownTable(
        ['artifact', 'check', 'passed', 'observed', 'required', ''],
        artifacts.flatMap(({ lookup, checks }) =>
          checks.map((check) => [
            lookup,
            check.name,
            check.passed ? 'yes' : 'NO',
            fourDigits(check.observed),
            check.required,
            check.message,
          ]),
        ),
      ),
    ],
    commands: { approve: decideCommand('approve', key, job), reject: decideCommand('reject', key, job) },
    workflowId,
  });
}

/** What to type to decide. */
export function decideCommand(verdict: string, key: string, job: RefreshJob | null): string {
  return `sluice refresh ${verdict} ${key}${job === null ? '' : ` --job ${job}`} --reason WHY`;
}
