import { describe, expect, it } from 'vitest';
import { readiness, type Signals } from './readiness.js';

const well: Signals = {
  draining: false,
  bundle: true,
  models: true,
  registry: 'joined',
  kernelRefusal: null,
  processesAway: 0,
  caughtUp: true,
  firstLease: true,
  pointerError: null,
  staleSince: null,
  pinnedError: null,
  newerElsewhere: false,
  temporal: 'connected',
  predictionLog: { error: null, dropping: false, dropped: 0, pending: 3 },
};

describe('readiness', () => {
  it.each<[string, Partial<Signals>, boolean, RegExp | null]>([
    ['all is well', {}, true, null],
    ['no bundle', { bundle: false }, false, /no bundle yet/],
    ['the thread died', { models: false }, false, /model thread/],
    ['shutting down', { draining: true }, false, /shutting down/],
    ['before the registry answered', { registry: 'joining' }, false, /joining/],
    ['the registry is away', { registry: 'unreachable', caughtUp: false }, true, /registry cannot be reached/],
    ['the lease ran out unnoticed', { registry: 'expired' }, false, /lease ran out/],
    ['a second process with the same id', { registry: 'taken' }, false, /same SCORER_REPLICA_ID/],
    ['back after an expired lease', { firstLease: false, caughtUp: false }, false, /catching up/],
    [
      'back, and the store is down',
      { firstLease: false, caughtUp: false, pointerError: 'S3 is down' },
      false,
      /catching up/,
    ],
    ['a first start that has not read the pointer', { caughtUp: false }, false, /catching up/],
    ['a first start with the store down', { caughtUp: false, pointerError: 'S3 is down' }, true, /S3 is down/],
    [
      'the same, but others have moved on',
      { caughtUp: false, pointerError: 'S3 is down', newerElsewhere: true },
      false,
      /catching up/,
    ],
    ['pinned', { registry: 'none', caughtUp: false, temporal: 'none' }, true, null],
    ['the pointer has not been read for a while', { staleSince: '2026-12-01T10:00:00.000Z' }, true, /stale.*10:00:00/],
    [
      'started from its cache with the store down',
      { caughtUp: false, pointerError: 'S3 is down', staleSince: '2026-12-01T10:00:00.000Z' },
      true,
      /could not be followed: S3 is down; stale: .*2026-12-01T10:00:00\.000Z/,
    ],
    [
      'pinned to a directory that cannot be served',
      { registry: 'none', caughtUp: false, temporal: 'none', pinnedError: 'isotonic.json has digest 0' },
      true,
      /ARTIFACTS_DIR.*former bundle.*isotonic\.json/,
    ],
    ['Temporal is away', { temporal: 'unreachable' }, true, /Temporal cannot be reached/],
  ])('%s', (_name, changes, ready, said) => {
    const answer = readiness({ ...well, ...changes });
    expect(answer.ready).toBe(ready);
    expect(answer.reasons.length === 0).toBe(ready);
    const words = [...answer.reasons, ...answer.notices].join('; ');
    if (said === null) expect(words).toBe('');
    else expect(words).toMatch(said);
  });
});
