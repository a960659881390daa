import { patched } from '@temporalio/workflow';
import type { RunProgress } from './contract.js';
import { PATCHES } from './patches.js';
import type { Run } from './run.js';

/** Whether nothing being live is an outcome in this run, or the failure that it was before. Ask it only where nothing is live. */
export function mayEndWithNothingLive(): boolean {
  return patched(PATCHES.nothingLiveIsAnOutcome);
}

/** That nothing is live yet, so that there is nothing to do: told once for a model, whichever of its runs comes first. */
export function notifyNothingLive(
  run: Pick<Run<string, RunProgress>, 'trackNotification' | 'notifyAsBefore'>,
  model: string,
): void {
  run.trackNotification(run.notifyAsBefore('nothingLive', nothingLiveKey(model), { model }));
}

/** The occasion, whichever run tells of it. */
export function nothingLiveKey(model: string): string {
  return `nothing-live/${model}`;
}

/** In words, for a run that ends by it. */
export function nothingLive(model: string): string {
  return `nothing of ${model} is live yet: release a model first, \`sluice release start\``;
}
