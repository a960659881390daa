import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockColumn } from './block-column.js';
import { Selection } from './selection.js';

const columnOf = (values: Iterable<number>): BlockColumn => {
  const column = new BlockColumn();
  for (const value of values) column.push(value);
  return column;
};
const sortedOf = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

it('gives every value of the sorted order, of one column and of several together', () => {
  const double = fc.double({ noNaN: true });
  const some = fc.array(fc.oneof(double, fc.constantFrom(0, -0, 1, Number.MAX_VALUE, -Number.MIN_VALUE)));
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), (columns) => {
      const selection = new Selection(columns.flatMap((values) => columnOf(values).blocks()));
      sortedOf(columns.flat()).forEach((value, index) => expect(selection.at(index)).toBe(value));
    }),
  );
});

it.each([
  ['spread over all sizes', (i: number) => (i % 2 === 0 ? 1 : -1) * 2 ** (((i * 7919) % 2000) - 1000)],
  ['close together', (i: number) => 100 + ((i * 7919) % 100_003) / 1e6],
  ['that differ in their last bits only', (i: number) => 1 + ((i * 7919) % 50_021) * Number.EPSILON],
  ['of prices, which come again and again', (i: number) => ((i * 7919) % 997) / 100],
  ['that are all the same', () => 9.99],
  ['below zero', (i: number) => -((i * 7919) % 100_003) / 7],
])('finds places among 100,000 values %s', (_, valueOf) => {
  const values = Array.from({ length: 100_000 }, (_, i) => valueOf(i));
  const sorted = sortedOf(values);
  const column = columnOf(values);
  expect(column.length).toBe(values.length);
  const selection = new Selection(column.blocks());
  for (const index of [0, 1, 4095, 4096, 24_999, 25_000, 49_999, 50_000, 50_001, 99_499, 99_500, 99_999])
    expect(selection.at(index)).toBe(sorted[index]);
});

it('a column stays right after it was asked', () => {
  const values = Array.from({ length: 40_000 }, (_, i) => ((i * 7919) % 100_003) / 7);
  const column = columnOf(values.slice(0, 20_000));
  expect(new Selection(column.blocks()).at(19_999)).toBe(sortedOf(values.slice(0, 20_000))[19_999]);
  for (const value of values.slice(20_000)) column.push(value);
  expect(new Selection(column.blocks()).at(20_000)).toBe(sortedOf(values)[20_000]);
});
