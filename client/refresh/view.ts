import type { RefreshJob } from '../../domain/refresh/types.js';
import type { ArtifactProgress, JobProgress, RefreshProgress } from '../../workflows/refresh/contract.js';
import { gateTable } from '../release/view.js';
import type { Shown } from '../runs/kind.js';
import { recordLines, stepLines } from '../runs/text.js';

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
  { ref: { key, job }, progress, error, url, approve }: Shown<{ key: string; job: RefreshJob | null }, RefreshProgress>,
  withSteps: boolean,
): string {
  const { status, why, bundleVersion, generation, approval, decidedBy } = progress;
  const lines = [`refresh ${key}${job === null ? '' : ` ${job}`}: ${status}${why === null ? '' : `, ${why}`}`];
  if (bundleVersion !== null)
    lines.push(`bundle ${bundleVersion}${generation === null ? '' : `, generation ${generation}`}`);
  if (decidedBy !== null) lines.push(`decided by ${decidedBy}`);
  lines.push(...recordLines(progress));
  if (withSteps) lines.push('', ...stepLines(progress.steps));
  lines.push('', ...progress.jobs.flatMap(jobLines));
  if (approval !== null)
    lines.push(
      '',
      `To decide by ${approval.deadline}: ${approve}   (or reject)`,
      `compared with ${approval.proposal.comparedWith}, digest ${approval.digest}`,
    );
  if (error !== null && error !== why) lines.push('', `ended with: ${error}`);
  return [...lines, url].join('\n');
}

/** Each artifact with its outcome, and its checks where one failed. */
function jobLines({ job, state, artifacts, error }: JobProgress): string[] {
  if (artifacts.length === 0) return [`${state === 'failed' ? '✖' : '·'} ${job}: ${error ?? state}`];
  return artifacts.flatMap(({ lookup, version, rows, outcome, checks, notes }) => [
    `${MARK[outcome]} ${lookup.padEnd(24)} ${outcome.padEnd(10)} version ${version}, ${rows.toLocaleString('en')} rows`,
    ...(checks.some(({ passed }) => !passed) ? gateTable(checks).map((line) => `  ${line}`) : []),
    ...notes.map((note) => `    ${note}`),
  ]);
}
