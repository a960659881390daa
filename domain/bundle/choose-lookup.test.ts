import { expect, it } from 'vitest';
import { chooseLookup, type LookupCandidate } from './choose-lookup.js';

const made = (asOf: string): LookupCandidate => ({
  bytes: Buffer.from(asOf),
  madeBytes: Buffer.from('{}'),
  made: {
    artifact: 'x',
    version: '1',
    sha256: '',
    as_of: asOf,
    window: { from: asOf, to: asOf },
    rows: 1,
    created_at: asOf,
    inputs: {},
  },
});

it.each([
  ['2025-06-30T00:00:00Z', null, 'own'],
  ['2025-06-30T00:00:00Z', '2025-06-29T00:00:00Z', 'own'],
  ['2025-06-30T00:00:00Z', '2025-06-30T02:00:00+02:00', 'own'],
  ['2025-06-30T00:00:00Z', '2025-07-01T00:00:00Z', 'live'],
  ['2025-06-30T00:00:00Z', '2025-06-30T01:00:00.000+02:00', 'own'],
] as const)('own as of %s, live as of %s: %s', (own, live, from) => {
  expect(chooseLookup(made(own), live === null ? null : made(live)).from).toBe(from);
});
