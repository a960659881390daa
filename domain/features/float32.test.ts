import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortestFloat32 } from './float32.js';

describe('shortestFloat32', () => {
  it('shows what a person would write', () => {
    expect(shortestFloat32(Math.fround(1111.88))).toBe(1111.88);
    expect(shortestFloat32(Math.fround(0.1))).toBe(0.1);
    expect(shortestFloat32(16_777_216)).toBe(16_777_216);
    expect(shortestFloat32(-0)).toBe(-0);
    expect(shortestFloat32(NaN)).toBeNaN();
  });

  it('leaves a double alone that no 32-bit float is', () => expect(shortestFloat32(0.1)).toBe(0.1));

  it('is the same 32-bit float', () =>
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        expect(Math.fround(shortestFloat32(value))).toBe(value);
      }),
      { numRuns: 1_000 },
    ));
});
