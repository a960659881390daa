import { describe, expect, it } from 'vitest';
import { tailBeyond, valueBeyond } from './scaled-f.js';

describe('a value over a mean that is known from few', () => {
  it('has the tail of F, by the tables', () => {
    // upper 5 % points of F with 2 and 10, 2 and 20, 10 and 30 degrees of freedom
    expect(tailBeyond(4.1028, { mean: 1, shape: 1, values: 5 })).toBeCloseTo(0.05, 4);
    expect(tailBeyond(3 * 3.4928, { mean: 3, shape: 1, values: 10 })).toBeCloseTo(0.05, 4);
    expect(tailBeyond(2.1646, { mean: 1, shape: 5, values: 3 })).toBeCloseTo(0.05, 4);
  });

  it('is exceeded the less surely the fewer values are known', () => {
    const at = (values: number): number => tailBeyond(8, { mean: 1, shape: 1, values });
    expect(at(3)).toBeGreaterThan(at(8));
    expect(at(8)).toBeGreaterThan(at(60));
  });

  it('finds the value that belongs to a probability', () => {
    const seen = { mean: 0.02, shape: 1.7, values: 8 };
    for (const probability of [0.2, 0.01, 1e-5])
      expect(tailBeyond(valueBeyond(probability, seen), seen) / probability).toBeCloseTo(1, 4);
  });

  it('knows nothing of nothing: what never differed differs at once, what was never seen never', () => {
    expect(tailBeyond(0.1, { mean: 0, shape: 1, values: 8 })).toBe(0);
    expect(tailBeyond(0.1, { mean: 1, shape: 1, values: 0 })).toBe(1);
    expect(tailBeyond(0, { mean: 1, shape: 1, values: 8 })).toBe(1);
    expect(valueBeyond(0.01, { mean: 0, shape: 1, values: 8 })).toBe(0);
  });
});
