import { authorise, operationLog } from '../common/operation.js';
import { answered } from '../common/proxies.js';
import { pinOperation, STEPS, type PinBundleInput, type PinBundleResult } from './contract.js';

/** Pins a bundle, so that pruning never deletes it, or takes the pin away. */
export async function pinBundle(input: PinBundleInput): Promise<PinBundleResult> {
  const { model, version, pinned, caller } = input;
  const { actor, reason } = caller;
  const log = operationLog(`${pinned ? 'Pin' : 'Unpin'} ${version} of ${model}`, input, STEPS);
  await authorise(log, model, pinOperation(input), input);
  // Found first, deleted second: the deletion may then be repeated without an error.
  await log.run('find', () =>
    pinned ? answered.requireBundle({ model, version }) : answered.requirePin({ model, version }),
  );
  const pin = { model, version, actor, reason, at: new Date().toISOString() };
  await log.run('pin', () => (pinned ? answered.putPin(pin) : answered.deletePin({ model, version })));
  return pin;
}
