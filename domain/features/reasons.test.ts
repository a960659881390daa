import { describe, expect, it } from 'vitest';
import type { FeatureRegistry } from '../../schemas/types.js';
import { compileReasons } from './reasons.js';

const feature = (name: string, reason?: FeatureRegistry['features'][number]['reason']) =>
  ({ name, ...(reason === undefined ? {} : { reason }) }) as FeatureRegistry['features'][number];
const reasons = compileReasons({
  features: [
    feature('big', { code: 'BIG', text: 'It is big', above: 10 }),
    feature('plain'),
    feature('rare', { code: 'RARE', text: 'It is rare', below: 0.5 }),
    feature('odd', { code: 'ODD', text: 'It is odd', above: 1, below: -1 }),
  ],
});
const holding = (...values: number[]) => reasons.filter(({ index, holds }) => holds(values[index] ?? NaN));

describe('the reasons of a registry', () => {
  it('hold for features strictly beyond their bound, in order', () => {
    expect(holding(11, 99, 0.1, 0)).toMatchObject([
      { code: 'BIG', text: 'It is big', feature: 'big', index: 0 },
      { code: 'RARE', text: 'It is rare', feature: 'rare', index: 2 },
    ]);
    expect(holding(10, 99, 0.5, 1)).toEqual([]);
    expect(holding(0, 0, 9, -2)).toMatchObject([{ code: 'ODD' }]);
  });

  it('never hold for NaN', () => expect(holding(NaN, NaN, NaN, NaN)).toEqual([]));
});
