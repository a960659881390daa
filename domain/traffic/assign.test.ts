import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armOf } from './assign.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const customers = Array.from({ length: 20_000 }, (_, index) => `C${index}`);
const candidates = (weight: number, salt: string) =>
  customers.filter((customer) => armOf(customer, { weight, salt }) === 'candidate');

describe('the arm of a customer', () => {
  it('is the champion without a candidate, and the candidate at full weight', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (customer, salt) => {
        expect(armOf(customer, null)).toBe('champion');
        expect(armOf(customer, { weight: 0, salt })).toBe('champion');
        expect(armOf(customer, { weight: 1, salt })).toBe('candidate');
      }),
    );
  });

  it('is sticky: a rising weight adds customers and sends none back', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), share, share, (customer, salt, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        if (armOf(customer, { weight: less, salt }) === 'candidate')
          expect(armOf(customer, { weight: more, salt })).toBe('candidate');
        expect(armOf(customer, { weight: a, salt })).toBe(armOf(customer, { weight: a, salt }));
      }),
    );
  });

  // 20,000 customers: five standard deviations are at most 1.8 % of all.
  it.each([0.01, 0.05, 0.2, 0.5])('gives a weight of %d its share, whatever the draw', (weight) => {
    const spread = 5 * Math.sqrt((weight * (1 - weight)) / customers.length);
    for (const salt of ['', 'a', '20250630-120000'])
      expect(Math.abs(candidates(weight, salt).length / customers.length - weight)).toBeLessThan(spread);
  });

  it('draws anew with another salt', () => {
    const first = new Set(candidates(0.5, 'first'));
    const both = candidates(0.5, 'second').filter((customer) => first.has(customer));
    expect(both.length / customers.length).toBeGreaterThan(0.22);
    expect(both.length / customers.length).toBeLessThan(0.28);
  });
});
