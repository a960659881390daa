import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OrderedColumn, valueAt } from './ordered-column.js';

const columnOf = (values: readonly number[]): OrderedColumn => {
  const column = new OrderedColumn();
  for (const value of values) column.push(value);
  return column;
};

it('gives every value of the sorted order, of one column and of several together', () => {
  const double = fc.double({ noNaN: true });
  const some = fc.array(fc.oneof(double, fc.constantFrom(0, 1, Number.MAX_VALUE, -Number.MIN_VALUE)), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), (columns) => {
      const sorted = Float64Array.from(columns.flat()).sort();
      const runs = columns.flatMap((values) => columnOf(values).runs());
      // -0 and 0 are one value here, as they are to <=.
      sorted.forEach((value, index) => expect(valueAt(runs, index) + 0).toBe(value + 0));
    }),
  );
});

it('stays right over many runs, and after it was asked', () => {
  const values = Array.from({ length: 100_000 }, (_, i) => ((i * 7919) % 100_003) / 7);
  const column = columnOf(values.slice(0, 70_000));
  expect(column.runs().length).toBeGreaterThan(3);
  for (const value of values.slice(70_000)) column.push(value);
  const sorted = Float64Array.from(values).sort();
  expect(column.length).toBe(values.length);
  for (const index of [0, 1, 49_999, 50_000, 99_499, 99_999]) expect(valueAt(column.runs(), index)).toBe(sorted[index]);
});
