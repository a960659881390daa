import { describe, expect, it } from 'vitest';
import type { FeatureRegistry } from '../../schemas/types.js';
import { reasonCodes } from './reasons.js';

const feature = (name: string, reason?: FeatureRegistry['features'][number]['reason']) =>
  ({ name, ...(reason === undefined ? {} : { reason }) }) as FeatureRegistry['features'][number];
const registry = {
  features: [
    feature('big', { code: 'BIG', text: 'It is big', above: 10 }),
    feature('plain'),
    feature('rare', { code: 'RARE', text: 'It is rare', below: 0.5 }),
  ],
};

describe('reasonCodes', () => {
  it('names the features strictly beyond their bound, in order', () => {
    expect(reasonCodes(registry, [11, 99, 0.1])).toEqual([
      { code: 'BIG', text: 'It is big', feature: 'big', value: 11 },
      { code: 'RARE', text: 'It is rare', feature: 'rare', value: expect.closeTo(0.1) as number },
    ]);
    expect(reasonCodes(registry, [10, 99, 0.5])).toEqual([]);
  });

  it('reads a row out of a batch', () => {
    expect(reasonCodes(registry, Float32Array.of(0, 0, 9, 11, 0, 9), 3).map(({ code }) => code)).toEqual(['BIG']);
  });

  it('finds nothing in NaN', () => expect(reasonCodes(registry, [NaN, NaN, NaN])).toEqual([]));
});
