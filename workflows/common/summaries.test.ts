import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seeded } from '../../test/support/seeded.js';
import { summaryOf } from './summaries.js';

it('keeps a short line, folds what is several', () => {
  expect(summaryOf('release r1 of m by ada: new\n data ')).toBe('release r1 of m by ada: new data');
});

it('never exceeds what Temporal takes, whatever somebody gave as a reason, and cuts no character in two', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 100, maxLength: 2000 }), fc.nat(3), (text, times) => {
      const summary = summaryOf(text.repeat(times + 1) + '"'.repeat(300 * times));
      expect(Buffer.byteLength(JSON.stringify(summary))).toBeLessThanOrEqual(400);
      expect(Buffer.from(summary).toString()).toBe(summary);
    }),
    seeded(200),
  );
});
