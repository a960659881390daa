import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantilesOfFloats } from './float-quantiles.js';
import { quantileOfSorted } from './quantile.js';

const FRACTIONS = { min: 0, q01: 0.01, q25: 0.25, q50: 0.5, q99: 0.99, max: 1 };

it('gives what sorting gives, whatever the values', () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, -1, 23, Math.fround(0.1)),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 400 }), (values) => {
      const floats = Float32Array.from(values);
      const sorted = Float32Array.from(floats).sort();
      const expected = Object.fromEntries(
        Object.entries(FRACTIONS).map(([name, q]) => [name, quantileOfSorted(sorted, q)]),
      );
      expect(quantilesOfFloats(floats, FRACTIONS)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
