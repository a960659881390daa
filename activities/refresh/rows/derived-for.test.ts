import { expect, it } from 'vitest';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { derivedFor } from './derived-for.js';

const ops: FeatureRegistry['derived'][number]['op'][] = [
  { kind: 'normalise', input: 'name' },
  { kind: 'canonical', input: 'word', lookup: 'words' },
  { kind: 'convert', amount: 'sum', currency: 'unit', at: 'when', lookup: 'rates', before_oldest: 'oldest' },
  { kind: 'log1p', input: 'worth' },
];
const derived = ['shop', 'kind', 'worth', 'log'].map((name, i) => ({
  name,
  logic: '',
  op: ops[i] as (typeof ops)[number],
  null_policy: { on_null: 'keep' as const },
}));
const names = (wanted: string[], declared: Parameters<typeof derivedFor>[2]) =>
  derivedFor(derived, wanted, declared).map(({ name }) => name);

it('keeps what a lookup is made from, what that hangs on, and what reads a field with declared values', () => {
  const nothing = { ranges: {}, allowed_values: {} };
  expect(names(['shop'], nothing)).toEqual(['shop']);
  expect(names(['log', 'kind'], nothing)).toEqual(['kind', 'worth', 'log']);
  expect(names(['name'], nothing), 'a raw field').toEqual([]);
  expect(names(['shop'], { ranges: { sum: { min: 0 } }, allowed_values: {} })).toEqual(['shop', 'worth']);
  expect(names(['shop'], { ranges: {}, allowed_values: { word: ['tea'] } })).toEqual(['shop', 'kind']);
});
