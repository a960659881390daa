import { patched } from '@temporalio/workflow';
import type { ModelSpec } from '../../domain/release/types.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls } from '../common/proxies.js';
import { authoriseRequest } from '../common/request.js';
import { releaseRequest } from './contract.js';
import { applyOverrides } from './overrides.js';
import type { ReleaseRun } from './run.js';

/** What a release runs on. */
export interface Admitted {
  /** the model's, with what this release sets differently */
  spec: ModelSpec;
  gitSha: string;
}

/**
 * Whether this release may run, and on what. Nothing has been done yet: what is refused here leaves the answer in the decision log and the
 * reason in the run, and no line in the reports.
 */
export async function admit(run: ReleaseRun): Promise<Admitted> {
  const { model, releaseId, overrides = {} } = run.input;
  if (!patched(PATCHES.requestsAreAuthorised)) {
    const { spec, gitSha } = await shortCalls.loadModelSpec({ model });
    return { spec: applyOverrides(spec, overrides), gitSha };
  }
  const { spec, gitSha, changes = [], definition } = await shortCalls.loadModelSpec({ model, overrides });
  if (definition !== undefined) run.of = { model, definition };
  const { reason: overrideReason } = overrides;
  if (changes.length > 0)
    run.update({ overrides: changes, ...(overrideReason === undefined ? {} : { overrideReason }) });
  const identity = await authoriseRequest({
    model,
    requestId: releaseId,
    request: releaseRequest(run.input),
    caller: run.caller,
    overrides: changes,
    ...(overrideReason === undefined ? {} : { overrideReason }),
  });
  run.asked(identity, spec.promotion);
  return { spec, gitSha };
}
