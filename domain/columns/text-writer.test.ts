import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextWriter } from './text-writer.js';

const written = (value: number): string => {
  const writer = new TextWriter();
  writer.number(value);
  return writer.written().toString('utf8');
};

it('writes numbers as String does: the content hash of a snapshot hangs on every digit', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    fc.maxSafeInteger(),
    fc.integer({ min: -1e9, max: 1e9 }).map((cents) => cents / 100),
    fc.constantFrom(0, -0, 0.1, 1.005, 0.29, 999_999.99, 1e6, 1e12, 1e13, 1e13 - 0.01, 1e21, 5e-324, NaN, Infinity),
  );
  fc.assert(
    fc.property(number, (value) => {
      expect(written(value)).toBe(String(value));
    }),
    { numRuns: 5_000 },
  );
});

it('keeps what was written when it grows', () => {
  const writer = new TextWriter();
  const text = 'ü'.repeat(50_000);
  writer.text(text);
  writer.copy(Buffer.from(text), 0, 100_000);
  writer.padded(7, 3);
  expect(writer.written().toString('utf8')).toBe(`${text}${text}007`);
});
