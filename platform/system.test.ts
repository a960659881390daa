import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { loadSettings } from './config.js';
import { SluiceError } from './errors.js';
import { openSystem, type Openers, type SystemPart } from './system.js';

const settings = loadSettings({
  TEMPORAL_ADDRESS: 'x',
  MONGODB_URI: 'x',
  S3_ENDPOINT: 'x',
  S3_ACCESS_KEY_ID: 'x',
  S3_SECRET_ACCESS_KEY: 'x',
  MLFLOW_TRACKING_URI: 'x',
});
const options = { settings, name: 'test', log: pino({ enabled: false }), connectTo: {}, modelsDir: '/nowhere' };

/** Openers that only write down what happens; `broken` does not open, `stuck` does not close. */
function recorded({ broken, stuck }: { broken?: SystemPart; stuck?: SystemPart } = {}) {
  const events: string[] = [];
  const opener = (part: SystemPart) => () => {
    if (part === broken) return Promise.reject(new SluiceError('Unreachable', part));
    events.push(`open ${part}`);
    return Promise.resolve({
      value: part,
      explain: (error: unknown) => (error === part ? `explained by ${part}` : error),
      close: () => {
        events.push(`close ${part}`);
        if (part === stuck) throw new Error('still busy');
      },
    });
  };
  const parts: SystemPart[] = ['db', 'store', 'mlflow', 'tracking', 'temporal', 'signer', 'trustedKeys', 'models'];
  const openers = Object.fromEntries(parts.map((part) => [part, opener(part)])) as unknown as Openers;
  return { events, openers };
}

describe('openSystem', () => {
  it('opens what is asked for and nothing else, and closes it in the reverse order, once', async () => {
    const { events, openers } = recorded();
    const system = await openSystem({ ...options, parts: ['db', 'store', 'temporal'] as const }, openers);
    expect(Object.keys(system).sort()).toEqual(['close', 'db', 'explain', 'log', 'settings', 'store', 'temporal']);
    await system.close();
    await system.close();
    expect(events).toEqual(['open db', 'open store', 'open temporal', 'close temporal', 'close store', 'close db']);
  });

  it('closes again what was open when one part cannot be opened', async () => {
    const { events, openers } = recorded({ broken: 'signer' });
    const opening = openSystem({ ...options, parts: ['db', 'store', 'signer', 'models'] as const }, openers);
    await expect(opening).rejects.toMatchObject({ type: 'Unreachable', message: 'signer' });
    expect(events).toEqual(['open db', 'open store', 'close store', 'close db']);
  });

  it('closes the others when one cannot be closed', async () => {
    const { events, openers } = recorded({ stuck: 'store' });
    await (await openSystem({ ...options, parts: ['db', 'store'] as const }, openers)).close();
    expect(events.slice(2)).toEqual(['close store', 'close db']);
  });

  it("explains the errors of each server that is open, and leaves others' alone", async () => {
    const { openers } = recorded();
    const { explain } = await openSystem({ ...options, parts: ['db', 'store'] as const }, openers);
    expect(['db', 'store', 'mlflow'].map(explain)).toEqual(['explained by db', 'explained by store', 'mlflow']);
  });

  it('names the file of a key that is not there', async () => {
    await expect(openSystem({ ...options, parts: ['models', 'signer'] as const })).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('SLUICE_SIGNING_KEY_FILE') as string,
    });
  });
});
