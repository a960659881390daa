import { expect, it } from 'vitest';
import { lastGood, type VerdictRecord } from './last-good.js';

const good = (version: string, generation: number): VerdictRecord => ({
  version,
  generation,
  manifestSha256: '',
  verdict: 'Successful',
});
const bad = (version: string, generation: number): VerdictRecord => ({
  ...good(version, generation),
  verdict: 'Failed',
});

it('is the bundle before the live one', () => {
  expect(lastGood([good('a', 1), good('b', 2)], { version: 'b', generation: 2 })?.version).toBe('a');
});

it('passes over a bundle that was undone', () => {
  // b failed at generation 2, the undo named a again at 3, c went live at 4
  expect(lastGood([good('a', 1), bad('b', 2), good('c', 4)], { version: 'c', generation: 4 })?.version).toBe('a');
});

it('goes further back when it is used twice', () => {
  const records = [good('a', 1), good('b', 2), good('c', 3), good('b', 4)];
  expect(lastGood(records, { version: 'b', generation: 4 })?.version).toBe('a');
});

it('is null where the live bundle is the first', () => {
  expect(lastGood([good('a', 1)], { version: 'a', generation: 1 })).toBeNull();
  expect(lastGood([], { version: 'a', generation: 1 })).toBeNull();
});
