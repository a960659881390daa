import { unprovenLine } from '../../domain/approval/identity.js';
import { overrideLine, type OverrideChange } from '../../domain/release/overrides.js';
import { duration } from '../output.js';
import { flattenSteps, type StepProgress } from '../../workflows/common/progress.js';
import type { RunFrame } from './kind.js';
import type { PendingWork, Queued, Retry } from './watch.js';

const MARK: Record<StepProgress['status'], string> = {
  pending: '·',
  running: '▸',
  done: '✔',
  failed: '✖',
  skipped: '–',
};

/** A step in a line, without those below it. */
export function stepLine(step: StepProgress, now = Date.now()): string {
  const took =
    step.startedAt === null
      ? ''
      : duration((step.finishedAt === null ? now : Date.parse(step.finishedAt)) - Date.parse(step.startedAt));
  return `${MARK[step.status]} ${step.name.padEnd(14)} ${took.padStart(7)}  ${step.detail ?? ''}`.trimEnd();
}

export function indented(depth: number, line: string): string {
  return '  '.repeat(depth) + line;
}

/** Every step in a line, those of a step indented below it. */
export function stepLines(steps: readonly StepProgress[], now = Date.now()): string[] {
  return flattenSteps(steps).map(({ step, depth }) => indented(depth, stepLine(step, now)));
}

export function retryLine({ activity, attempt, failure }: Retry): string {
  return `↻ ${activity} failed and is tried again (attempt ${attempt}): ${failure}`;
}

/** @param now for how long; left out: only that it waits */
export function queuedLine({ activity, since }: Queued, now?: number): string {
  const waited = now === undefined ? '' : `, ${duration(now - Date.parse(since))} so far`;
  return `… ${activity} waits for a free worker${waited}`;
}

/** What the live list says now. */
export function frameText({ steps, items, waits }: RunFrame, { retries, queued }: PendingWork, now: number): string {
  return [
    ...stepLines(steps, now),
    ...items.filter(({ state }) => state !== 'pending').map(({ line }) => indented(1, line)),
    ...queued.map((one) => queuedLine(one, now)),
    ...retries.map(retryLine),
    ...(waits === null ? [] : [waits.what]),
  ].join('\n');
}

/** Who is not proven to be who they say, and where the run departs from the model's spec. */
export function recordLines({ unproven, overrides = [], overrideReason }: OnRecord): string[] {
  const unprovenNames = unprovenLine(unproven);
  return [
    ...(unprovenNames === null ? [] : [unprovenNames]),
    ...overrides.map((change) => `for this run only: ${overrideLine(change)}`),
    ...(overrideReason === undefined ? [] : [`why: ${overrideReason}`]),
  ];
}

interface OnRecord {
  unproven?: readonly string[];
  overrides?: readonly OverrideChange[];
  overrideReason?: string;
}
