import { HEADLINE_METRICS } from '../../domain/release/headlines.js';
import type { CheckResult, Metrics } from '../../domain/release/types.js';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Shown } from '../runs/kind.js';
import { queuedLine, recordLines, retryLine, stepLines } from '../runs/text.js';
import type { PendingWork } from '../runs/watch.js';
import type { ReleaseTiming } from './timing.js';

/** What is read of a release beside its progress. */
export interface MoreOfRelease extends PendingWork {
  timing: ReleaseTiming;
}

export function gateTable(gates: readonly CheckResult[]): string[] {
  const width = Math.max(...gates.map(({ name }) => name.length));
  return gates.map(
    (gate) =>
      `  ${gate.passed ? '✔' : '✖'} ${gate.name.padEnd(width)}  ${gate.observed === null ? 'not measured' : gate.observed.toPrecision(5)}  (${gate.required})`,
  );
}

function metricLine(metrics: Metrics): string {
  return HEADLINE_METRICS.filter((name) => typeof metrics[name] === 'number')
    .map((name) => `${name} ${(metrics[name] as number).toFixed(4)}`)
    .join('  ');
}

const GOES_ON: ReadonlySet<ReleaseProgress['status']> = new Set(['Running', 'WaitingForApproval']);

/** The whole of a release for people. */
export function releaseText(
  { ref, progress, error, url, approve, more }: Shown<{ releaseId: string }, ReleaseProgress>,
  withSteps: boolean,
): string {
  const { retries, queued, timing } = more as unknown as MoreOfRelease;
  const lines = [
    ...queued.map((one) => queuedLine(one, Date.now())),
    ...retries.map(retryLine),
    `release ${ref.releaseId}: ${progress.status}${progress.why === null ? '' : `, ${progress.why}`}`,
  ];
  if (progress.bundleVersion !== null)
    lines.push(
      `bundle ${progress.bundleVersion}${progress.generation === null ? '' : `, generation ${progress.generation}`}${progress.modelVersion === null ? '' : `, MLflow version ${progress.modelVersion}`}`,
    );
  lines.push(...recordLines(progress));
  if (withSteps) lines.push('', ...stepLines(progress.steps));
  if (progress.gates.length > 0) lines.push('', 'gates', ...gateTable(progress.gates));
  if (progress.metrics !== null) lines.push('', metricLine(progress.metrics));
  if (progress.approval !== null)
    lines.push('', `To decide by ${progress.approval.deadline}: ${approve}   (or reject)`);
  // A run's history has what happened, not what goes on: it would count a long activity only when that has ended.
  if (!GOES_ON.has(progress.status))
    lines.push(
      '',
      `took ${timing.totalSeconds.toFixed(1)} s, of which orchestration ${timing.orchestrationSeconds.toFixed(1)} s${queueOf(timing)}`,
    );
  if (timing.stackStartToLiveSeconds !== null)
    lines.push(`from the stack's start to the live model: ${timing.stackStartToLiveSeconds.toFixed(1)} s`);
  if (error !== null && error !== progress.why) lines.push('', `ended with: ${error}`);
  lines.push(url);
  return lines.join('\n');
}

function queueOf({ queuedSeconds }: ReleaseTiming): string {
  return queuedSeconds < 1 ? '' : `, ${queuedSeconds.toFixed(1)} s of that waiting for a free worker`;
}
