import { unprovenLine } from '../../domain/approval/identity.js';
import { overrideLine, type OverrideChange } from '../../domain/release/overrides.js';
import { duration } from '../output.js';
import type { RunFrame, ShownStep } from './kind.js';
import type { Retry } from './watch.js';

const MARK: Record<ShownStep['status'], string> = {
  pending: '·',
  running: '▸',
  done: '✔',
  failed: '✖',
  skipped: '–',
};

/** A step in a line, without those below it. */
export function stepLine(step: ShownStep, now = Date.now()): string {
  const took =
    step.startedAt === null
      ? ''
      : duration((step.finishedAt === null ? now : Date.parse(step.finishedAt)) - Date.parse(step.startedAt));
  return `${MARK[step.status]} ${step.name.padEnd(14)} ${took.padStart(7)}  ${step.detail ?? ''}`.trimEnd();
}

/** A step with its place: names of the steps above it, itself last. */
export interface PlacedStep {
  step: ShownStep;
  path: string;
  depth: number;
}

/** Steps in the order in which they are shown, those of a step below it. */
export function placed(steps: readonly ShownStep[], above: readonly string[] = []): PlacedStep[] {
  return steps.flatMap((step) => {
    const path = [...above, step.name];
    return [{ step, path: path.join(' / '), depth: above.length }, ...placed(step.steps ?? [], path)];
  });
}

export function indented(depth: number, line: string): string {
  return '  '.repeat(depth) + line;
}

/** Every step in a line, those of a step indented below it. */
export function stepLines(steps: readonly ShownStep[], now = Date.now()): string[] {
  return placed(steps).map(({ step, depth }) => indented(depth, stepLine(step, now)));
}

export function retryLine({ activity, attempt, failure }: Retry): string {
  return `↻ ${activity} failed and is tried again (attempt ${attempt}): ${failure}`;
}

/** What the live list says now. */
export function frameText({ steps, items, waits }: RunFrame, retries: readonly Retry[], now: number): string {
  return [
    ...stepLines(steps, now),
    ...items.filter(({ state }) => state !== 'pending').map(({ line }) => indented(1, line)),
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
