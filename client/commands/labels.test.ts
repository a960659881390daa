import { expect, it } from 'vitest';
import { labelsText } from './labels.js';

it('labels of unknown transactions are named, the first of them', () => {
  const counts = { read: 30, recorded: 30, unchanged: 0, older: 0, transactions_updated: 0 };
  const text = (unknown_transactions: number, unknown_ids?: string[]) =>
    labelsText({
      ...counts,
      unknown_transactions,
      ...(unknown_ids === undefined ? {} : { unknown_ids }),
      refused: { count: 0, reasons: {}, examples: [] },
      ignoredColumns: [],
    });
  expect(text(2, ['a', 'b'])).toContain('2 labels kept for unknown transactions: a, b');
  expect(text(30, ['a', 'b'])).toContain('30 labels kept for unknown transactions: a, b … and 28 more');
  expect(text(1, ['a'])).toContain('0 transactions updated; 1 label kept for unknown transactions: a');
  expect(text(0)).toMatch(/0 labels kept for unknown transactions$/);
});
