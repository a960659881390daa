import { HEADLINE_METRICS } from '../../domain/release/headlines.js';
import type { CheckResult, Metrics } from '../../domain/release/types.js';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import { duration } from '../output.js';
import type { Retry } from './release.js';
import type { ReleaseTiming } from './timing.js';

const MARK: Record<StepProgress['status'], string> = {
  pending: '·',
  running: '▸',
  done: '✔',
  failed: '✖',
  skipped: '–',
};

export function stepLine(step: StepProgress, now = Date.now()): string {
  const took =
    step.startedAt === null
      ? ''
      : duration((step.finishedAt === null ? now : Date.parse(step.finishedAt)) - Date.parse(step.startedAt));
  return `${MARK[step.status]} ${step.name.padEnd(14)} ${took.padStart(7)}  ${step.detail ?? ''}`.trimEnd();
}

export function retryLine({ activity, attempt, failure }: Retry): string {
  return `↻ ${activity} failed and is tried again (attempt ${attempt}): ${failure}`;
}

export function gateTable(gates: readonly CheckResult[]): string[] {
  const width = Math.max(...gates.map(({ name }) => name.length));
  return gates.map(
    (gate) =>
      `  ${gate.passed ? '✔' : '✖'} ${gate.name.padEnd(width)}  ${gate.observed === null ? 'not measured' : gate.observed.toPrecision(5)}  (${gate.required})`,
  );
}

export function metricLine(metrics: Metrics): string {
  return HEADLINE_METRICS.filter((name) => typeof metrics[name] === 'number')
    .map((name) => `${name} ${(metrics[name] as number).toFixed(4)}`)
    .join('  ');
}

/** The whole of a release for people. */
export function releaseText(
  releaseId: string,
  progress: ReleaseProgress,
  timing: ReleaseTiming | null,
  uiUrl: string,
  error: string | null,
  /** false where they have just been watched */
  withSteps: boolean,
): string {
  const lines = [`release ${releaseId}: ${progress.status}${progress.why === null ? '' : `, ${progress.why}`}`];
  if (progress.bundleVersion !== null)
    lines.push(
      `bundle ${progress.bundleVersion}${progress.generation === null ? '' : `, generation ${progress.generation}`}${progress.modelVersion === null ? '' : `, MLflow version ${progress.modelVersion}`}`,
    );
  if (withSteps) lines.push('', ...progress.steps.map((step) => stepLine(step)));
  if (progress.gates.length > 0) lines.push('', 'gates', ...gateTable(progress.gates));
  if (progress.metrics !== null) lines.push('', metricLine(progress.metrics));
  if (progress.approval !== null)
    lines.push(
      '',
      `To decide by ${progress.approval.deadline}: sluice release approve ${releaseId} --reason WHY   (or reject)`,
    );
  if (timing !== null)
    lines.push(
      '',
      `took ${timing.totalSeconds.toFixed(1)} s, of which orchestration ${timing.orchestrationSeconds.toFixed(1)} s`,
    );
  if (timing !== null && timing.stackStartToLiveSeconds !== null)
    lines.push(`from the stack's start to the live model: ${timing.stackStartToLiveSeconds.toFixed(1)} s`);
  if (error !== null && error !== progress.why) lines.push('', `ended with: ${error}`);
  lines.push(uiUrl);
  return lines.join('\n');
}
