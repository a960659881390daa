import { buildAll } from '../refresh/build.js';
import { JOBS, type RefreshResult, type RefreshRunInput } from '../refresh/contract.js';
import { refresh } from '../refresh/refresh.js';
import { RefreshRun } from '../refresh/run.js';
import { settleFirst } from '../settleModel/first.js';

/** Every job side by side, then one bundle and one rollout for what changed. */
export async function nightlyRefresh(input: RefreshRunInput): Promise<RefreshResult> {
  const run = new RefreshRun(input, null, JOBS);
  await settleFirst(input.model);
  return refresh(run, (live) => buildAll(run, JOBS, live));
}
