import { createBirpc } from 'birpc';
import type { Logger } from 'pino';
import { fetchBundle, type Trust } from '../control/bundle-source.js';
import { createServing } from '../serving/serving.js';
import type { ScorerSettings } from '../settings.js';
import { readScorerFiles } from '../trust.js';
import type { FetchedBundle } from '../traffic/orders.js';
import { outcomeOf, valueOf, type BundleMessage, type ControlCalls, type ProcessCalls } from './messages.js';

/** A serving process of a fleet: does what the control process orders, and ends with it. */
export async function runServingProcess(settings: ScorerSettings, log: Logger): Promise<void> {
  const { spec, trust } = await readScorerFiles(settings);
  const serving = await createServing({
    settings,
    spec,
    view: {
      state: async () => valueOf(await control.state()),
      metrics: async () => valueOf(await control.metrics()),
      catchUp: async () => valueOf(await control.catchUp()),
    },
    log,
  });
  const calls: ProcessCalls = {
    prepare: ({ origin, champion, candidate }) =>
      outcomeOf(async () => {
        await serving.prepare({
          origin,
          champion: await verified(champion, trust),
          candidate: candidate === null ? null : { ...candidate, bundle: await verified(candidate.bundle, trust) },
        });
      }),
    switchTo: (generation) => outcomeOf(() => serving.switchTo(generation)),
    drop: (generation) => outcomeOf(() => serving.drop(generation)),
    listen: (port) => outcomeOf(() => serving.listen(port)),
    status: () => outcomeOf(() => serving.status()),
    metrics: () => outcomeOf(() => serving.metrics()),
    drain: () => outcomeOf(() => serving.drain()),
    close: async () => {
      const outcome = await outcomeOf(() => serving.close());
      // After the answer has left.
      setImmediate(() => process.disconnect());
      return outcome;
    },
  };
  // A terminal sends its Ctrl-C to every process: when to stop is the control process's word. (Without it Node ends this one.)
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  const control = createBirpc<ControlCalls, ProcessCalls>(calls, {
    post: (message: object) => void process.send?.(message),
    on: (listener) => void process.on('message', listener),
    eventNames: ['started'],
  });
  void control.started();
}

function verified({ version, manifest_sha256, raw }: BundleMessage, trust: Trust): Promise<FetchedBundle> {
  const read = (name: string): Promise<Buffer> => {
    const bytes = raw.get(name);
    // Structured cloning makes plain byte arrays of buffers.
    return bytes === undefined ? Promise.reject(new Error(`${name} is missing`)) : Promise.resolve(Buffer.from(bytes));
  };
  return fetchBundle(read, trust, { version, manifest_sha256 });
}
