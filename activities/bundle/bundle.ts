import type { BundleActivities } from './contract.js';
import { heartbeating } from '../heartbeat.js';
import type { RecomposeActivities } from './contract.js';
import { composeBundle } from './compose.js';
import type { BundleDeps } from './deps.js';
import { recomposeBundle } from './recompose.js';
import type { Enter } from './seal.js';
import { toRef, verifyPublished } from './verify.js';

export type { BundleDeps } from './deps.js';

export function createBundleActivities(deps: BundleDeps): BundleActivities & RecomposeActivities {
  return {
    composeBundle: (input) => staged((signal, enter) => composeBundle(deps, input, signal, enter)),
    recomposeBundle: (input) => staged((signal, enter) => recomposeBundle(deps, input, signal, enter)),
    verifyBundle: (input) =>
      heartbeating(async () => {
        const { spec } = await deps.models.load(input.model, input.definition);
        return toRef(await verifyPublished(deps, spec, input));
      }),
  };
}

function staged<T>(work: (signal: AbortSignal, enter: Enter) => Promise<T>): Promise<T> {
  let stage = 'read';
  return heartbeating(
    (signal) => work(signal, (next) => (stage = next)),
    () => ({ stage }),
  );
}
