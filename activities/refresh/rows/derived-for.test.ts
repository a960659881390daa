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
const names = (...wanted: string[]) => derivedFor(derived, wanted).map(({ name }) => name);

it('keeps what a lookup is made from and what that hangs on', () => {
  expect(names('shop')).toEqual(['shop']);
  expect(names('log', 'kind')).toEqual(['kind', 'worth', 'log']);
  expect(names('name'), 'a raw field').toEqual([]);
});
