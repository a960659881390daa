import { describe, expect, it } from 'vitest';
import { mendingOf, type LiveState } from './live-state.js';
import type { Pointer } from './types.js';

const state = (changes: Partial<LiveState> = {}): LiveState => ({
  live: { version: 'b', generation: 7 } as Pointer,
  modelVersion: '2',
  verdict: 'Successful',
  champion: '2',
  challenger: null,
  production: ['2'],
  staging: [],
  underWay: [],
  ...changes,
});
const nothing = { smoke: false, champion: false, promote: false, archive: [], challenger: false };
const running = { workflowId: 'release/m/r', waits: false };
const waiting = { workflowId: 'release/m/w', waits: true };
/** As a release leaves it that was terminated after its rollout, and one that was terminated while it waited. */
const torn: Partial<LiveState> = { champion: '1', production: ['1', '2'], staging: ['3'], challenger: '3' };

describe('what is put right', () => {
  it.each<[string, Partial<LiveState>, object]>([
    ['nothing where all agree', {}, nothing],
    ['everything that a stopped run left', torn, { ...nothing, champion: true, archive: ['1', '3'], challenger: true }],
    ['the live version first of all', { production: [] }, { ...nothing, promote: true }],
    ['a generation that nobody smoked', { verdict: null }, { ...nothing, smoke: true }],
    ['not one that failed its smoke: a person knows', { verdict: 'Failed' }, nothing],
    [
      'nothing of a release that is at work',
      { ...torn, production: ['1', '3'], underWay: [running, waiting] },
      nothing,
    ],
    ['what a waiting release does not need', { ...torn, underWay: [waiting] }, { ...nothing, champion: true }],
  ])('%s', (_what, changes, expected) => {
    expect(mendingOf(state(changes))).toEqual(expected);
  });
});
