import { expect, it } from 'vitest';
import { artifactState, type MadeLookup } from './state.js';
import { runKey } from '../runs/key.js';

const made = (sha256: string, as_of: string, document: unknown = { sha256 }): MadeLookup => ({
  document,
  made: { sha256, as_of },
});
const live = made('a', '2025-06-30T00:00:00.000Z');

it.each([
  ['the same content', made('a', '2025-07-01T00:00:00.000Z'), 'unchanged'],
  ['the same content, older', made('a', '2025-06-01T00:00:00.000Z'), 'unchanged'],
  ['other content, newer', made('b', '2025-07-01T00:00:00.000Z'), 'changed'],
  ['other content of the same time', made('b', '2025-06-30T00:00:00.000Z'), 'changed'],
  ['other content, older', made('b', '2025-06-29T23:59:59.999Z'), 'older'],
] as const)('%s', (_, own, expected) => expect(artifactState('merchantFrequency', own, live)).toBe(expected));

it('is changed where nothing is live', () => expect(artifactState('synonyms', live, null)).toBe('changed'));

it('exchange rates that only were looked at later are unchanged; of nothing else is that believed', () => {
  const rates = (at: string, usd: number): MadeLookup =>
    made(at, at, { last_updated: at, exchange_rates: { USD: usd } });
  const [friday, sunday] = ['2025-06-27T18:00:00.000Z', '2025-06-29T18:00:00.000Z'];
  expect(artifactState('fxRates', rates(sunday, 1), rates(friday, 1))).toBe('unchanged');
  expect(artifactState('fxRates', rates(sunday, 2), rates(friday, 1))).toBe('changed');
  expect(artifactState('categoryStats', rates(sunday, 1), rates(friday, 1))).toBe('changed');
});

it('a key is the day, or the minute where asOf is not midnight', () => {
  expect(runKey('2025-06-30')).toBe('2025-06-30');
  expect(runKey('2025-06-30T15:00:00Z')).toBe('2025-06-30T1500Z');
});
