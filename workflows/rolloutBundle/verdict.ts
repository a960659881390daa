import { bundleIdOf } from '../../domain/bundle/id.js';
import type { Pointer } from '../../domain/release/types.js';
import { shortCalls } from '../common/proxies.js';
import type { RolloutInput } from './contract.js';

/** Keeps whether a bundle passed its smoke at this generation, so that a rollback knows the last good one. */
export function recordVerdict(
  { model, environment }: RolloutInput,
  live: Pointer,
  verdict: 'Successful' | 'Failed',
  why: string,
): Promise<void> {
  return shortCalls.recordVerdict({
    model,
    environment,
    ...bundleIdOf(live),
    generation: live.generation,
    verdict,
    why,
    at: new Date().toISOString(),
  });
}
