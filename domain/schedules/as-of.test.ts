import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runKey } from '../runs/key.js';
import { scheduledAsOf, typedAsOf } from './as-of.js';

describe('scheduledAsOf', () => {
  it.each([
    ['a night is its day', '2025-06-30T01:00:00Z', 0, 'day', '2025-06-30T00:00:00.000Z'],
    ['a fixing keeps its hour', '2025-06-30T15:00:00Z', 0, 'minute', '2025-06-30T15:00:00.000Z'],
    ['seconds of a start by hand are dropped', '2025-06-30T15:07:42Z', 0, 'minute', '2025-06-30T15:07:00.000Z'],
    ['back into the demo', '2026-11-21T01:00:00Z', -509, 'day', '2025-06-30T00:00:00.000Z'],
    ['over a leap day', '2024-02-28T01:00:00Z', 1, 'day', '2024-02-29T00:00:00.000Z'],
  ] as const)('%s', (_what, at, offset, precision, expected) => {
    expect(scheduledAsOf(at, offset, precision)).toBe(expected);
  });

  it('gives each day one key, whatever time of it a run has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 86_399 }), (day, second) => {
        const at = new Date(day * 86_400_000 + second * 1000).toISOString();
        expect(runKey(scheduledAsOf(at, 0, 'day'))).toBe(at.slice(0, 10));
      }),
    );
  });

  it('refuses what is no time and half a day', () => {
    expect(() => scheduledAsOf('soon', 0, 'day')).toThrow('"soon" is not a time');
    expect(() => scheduledAsOf('2025-06-30T01:00:00Z', 0.5, 'day')).toThrow('not whole');
  });
});

it.each([
  ['2025-06-30T00:00:00.000Z', '2025-06-30'],
  ['2025-06-30T00:00:00Z', '2025-06-30'],
  ['2025-06-30T15:00:00.000Z', '2025-06-30T15:00:00.000Z'],
])('%s is typed as %s', (asOf, typed) => expect(typedAsOf(asOf)).toBe(typed));
