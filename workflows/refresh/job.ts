import type { RefreshJob } from '../../domain/refresh/types.js';
import { buildHere } from './build.js';
import type { RefreshJobRunInput, RefreshResult } from './contract.js';
import { refresh } from './refresh.js';
import { RefreshRun } from './run.js';

/** One job: alone it publishes what it made; as part of a night it hands it over. */
export async function refreshOne(input: RefreshJobRunInput, job: RefreshJob): Promise<RefreshResult> {
  const run = new RefreshRun(input, job, [job]);
  const { partOf } = input;
  if (partOf === undefined) return refresh(run, (live) => buildHere(run, job, live));
  try {
    await run.step('build', () => buildHere(run, job, partOf.live));
  } catch (error) {
    // The night notifies people of it.
    run.fail(error);
    throw error;
  }
  run.end('Made', `published by ${partOf.workflowId}`);
  return run.result();
}
