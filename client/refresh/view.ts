import type { RefreshJob } from '../../domain/refresh/types.js';
import type { ArtifactProgress, JobProgress, RefreshProgress } from '../../workflows/refresh/contract.js';
import { decideCommand } from '../../workflows/refresh/details.js';
import { gateTable, stepLine } from '../release/view.js';

const MARK: Record<ArtifactProgress['outcome'], string> = {
  ready: '▸',
  held: '?',
  live: '✔',
  unchanged: '=',
  older: '–',
  superseded: '–',
  rejected: '✖',
  expired: '✖',
};

/** The whole of a refresh for people. */
export function refreshText(
  key: string,
  job: RefreshJob | null,
  progress: RefreshProgress,
  url: string,
  error: string | null,
  /** false where they have just been watched */
  withSteps: boolean,
): string {
  const { status, why, bundleVersion, generation, approval, decidedBy } = progress;
  const lines = [`refresh ${key}${job === null ? '' : ` ${job}`}: ${status}${why === null ? '' : `, ${why}`}`];
  if (bundleVersion !== null)
    lines.push(`bundle ${bundleVersion}${generation === null ? '' : `, generation ${generation}`}`);
  if (decidedBy !== null) lines.push(`decided by ${decidedBy}`);
  if (withSteps) lines.push('', ...progress.steps.map((step) => stepLine(step)));
  lines.push('', ...progress.jobs.flatMap(jobLines));
  if (approval !== null)
    lines.push(
      '',
      `To decide by ${approval.deadline}: ${decideCommand('approve', key, job)}   (or reject)`,
      `compared with ${approval.proposal.comparedWith}, digest ${approval.digest}`,
    );
  if (error !== null && error !== why) lines.push('', `ended with: ${error}`);
  return [...lines, url].join('\n');
}

/** Each artifact with what became of it; its checks where it was not simply taken. */
function jobLines({ job, state, artifacts, error }: JobProgress): string[] {
  if (artifacts.length === 0) return [`${state === 'failed' ? '✖' : '·'} ${job}: ${error ?? state}`];
  return artifacts.flatMap(({ lookup, version, rows, outcome, checks, notes }) => [
    `${MARK[outcome]} ${lookup.padEnd(24)} ${outcome.padEnd(10)} version ${version}, ${rows.toLocaleString('en')} rows`,
    ...(checks.some(({ passed }) => !passed) ? gateTable(checks).map((line) => `  ${line}`) : []),
    ...notes.map((note) => `    ${note}`),
  ]);
}
