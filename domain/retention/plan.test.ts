import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRetention, type StoredArtifact } from './plan.js';

const at = (day: number): string => new Date(Date.UTC(2025, 0, day)).toISOString();
const artifact = (name: string, day: number, series: string | null = 'bundle'): StoredArtifact => ({
  kind: series === null ? 'incomplete bundle' : 'bundle',
  name,
  series,
  createdAt: at(day),
  objects: 1,
  bytes: 1,
});
const nobody = () => [];
const policy = { keep: 2, olderThanDays: 10, now: at(31) };
const gone = (verdicts: ReturnType<typeof planRetention>) =>
  verdicts.filter(({ goes }) => goes).map(({ name }) => name);

describe('retention', () => {
  const five = [1, 2, 3, 4, 30].map((day) => artifact(`b${day}`, day));

  it('takes what is beyond the newest N and old, oldest first', () => {
    expect(gone(planRetention(five, nobody, policy))).toEqual(['b1', 'b2', 'b3']);
  });

  it('never what something names, and says what', () => {
    const verdicts = planRetention(five, ({ name }) => (name === 'b2' ? ['pinned by ada'] : []), policy);
    expect(gone(verdicts)).toEqual(['b1', 'b3']);
    expect(verdicts.find(({ name }) => name === 'b2')?.why).toEqual(['pinned by ada']);
  });

  it('never what is young, however many there are', () => {
    const young = [25, 26, 27, 28].map((day) => artifact(`b${day}`, day));
    expect(gone(planRetention(young, nobody, policy))).toEqual([]);
  });

  it('counts each series by itself; a thing without a series has no newest', () => {
    const mixed = [
      artifact('fx1', 1, 'fx'),
      artifact('fx2', 2, 'fx'),
      artifact('half', 3, null),
      artifact('b1', 1),
      artifact('b2', 2),
    ];
    expect(gone(planRetention(mixed, nobody, policy))).toEqual(['half']);
  });

  it('keeps at least N of what there is, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        (days, keep) => {
          const all = days.map((day, i) => artifact(`b${i}`, day));
          const verdicts = planRetention(all, nobody, { keep, olderThanDays: 0, now: at(400) });
          expect(verdicts).toHaveLength(all.length);
          expect(verdicts.filter(({ goes }) => !goes)).toHaveLength(Math.min(keep, all.length));
          const kept = verdicts.filter(({ goes }) => !goes).map(({ createdAt }) => createdAt);
          for (const { createdAt } of verdicts.filter(({ goes }) => goes))
            for (const other of kept) expect(createdAt <= other).toBe(true);
        },
      ),
    );
  });
});
