import { ApplicationFailure } from '@temporalio/common';
import type { BundleRef, Pointer } from '../../domain/release/types.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import type { RollbackInput } from './contract.js';

/** The bundle that a rollback goes to, verified: the named one, or the last good one before what is live. Null: it is live already. */
export async function findTarget(
  { model, environment, version }: RollbackInput,
  live: Pointer | null,
): Promise<BundleRef | null> {
  // Staging begins empty and is filled by hand; production only ever by a release.
  if (live === null && (version === null || environment === 'production'))
    throw ApplicationFailure.nonRetryable(
      `nothing of ${model} is live in ${environment}: ${environment === 'staging' ? 'name the bundle to put there' : 'there is nothing to roll back'}`,
      'Conflict',
    );
  const found =
    version === null
      ? await shortCalls.lastGoodBundle({ model, environment })
      : await shortCalls.findBundle({ model, version });
  if (found === null)
    throw ApplicationFailure.nonRetryable(
      `no bundle before ${live?.version} was ever live and smoked: name one, \`sluice rollback VERSION\``,
      'NotFound',
    );
  return found.version === live?.version ? null : bulkIo.verifyBundle({ model, ...found });
}
