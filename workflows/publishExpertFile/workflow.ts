import { authorise, operationLog } from '../common/operation.js';
import { answered } from '../common/proxies.js';
import { publishOperation, STEPS, type PublishedExpertFile, type PublishExpertFileInput } from './contract.js';

/** An experts' table, checked and put where the nightly jobs and releases read it. */
export async function publishExpertFile(input: PublishExpertFileInput): Promise<PublishedExpertFile> {
  const { model, lookup, packed, base, caller } = input;
  const log = operationLog(`Publish the table ${lookup} of ${model}`, input, STEPS);
  await authorise(log, model, publishOperation(input), input);
  return log.run(
    'publish',
    () =>
      answered.publishExpertFile({
        model,
        lookup,
        packed,
        by: { actor: caller.actor, reason: caller.reason },
        at: new Date().toISOString(),
        ...(base === undefined ? {} : { base }),
      }),
    ({ source, changed }) => (changed ? source : `${source} is this file already`),
  );
}
