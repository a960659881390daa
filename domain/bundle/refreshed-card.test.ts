import { expect, it } from 'vitest';
import { refreshedCard, type RefreshedCardInput } from './refreshed-card.js';

const CARD = `# tiny 20250630-120000-1.0.0-0a1b2c3

A model | of transactions.

## Lineage

| what | value |
| --- | --- |
| release | r1 |

## Thresholds on the calibrated probability

An alert is raised at 0.5.

## Features

- one

## Lookups

| lookup | version |
| --- | --- |
| rates | old |
`;
const made = {
  artifact: 'rates',
  version: 'new',
  sha256: '0'.repeat(64),
  as_of: '2025-07-01T00:00:00Z',
  window: { from: '2025-04-01T00:00:00Z', to: '2025-07-01T00:00:00Z' },
  rows: 3,
  created_at: '2025-07-01T01:00:00Z',
  inputs: {},
};
const input = (changes: Partial<RefreshedCardInput> = {}): RefreshedCardInput => ({
  manifest: {
    model: 'tiny',
    version: '20250701-010000-1.0.1-0a1b2c3',
    releaseId: 'refresh-2025-07-01',
    gitSha: 'abc',
    parentVersion: '20250630-120000-1.0.0-0a1b2c3',
  },
  replaced: ['rates.json'],
  lookups: [{ name: 'rates', file: 'rates.json', made }],
  thresholds: null,
  ...changes,
});

it('keeps what was said of the model, and says anew what is in the bundle', () => {
  const card = refreshedCard(CARD, input());
  expect(card.match(/^#.*/gm)).toEqual([
    '# tiny 20250701-010000-1.0.1-0a1b2c3',
    '## This bundle',
    '## Lineage',
    '## Thresholds on the calibrated probability',
    '## Features',
    '## Lookups',
  ]);
  expect(card).toContain('A model | of transactions.');
  expect(card).toContain('| release | r1 |');
  expect(card).toContain('An alert is raised at 0.5.');
  expect(card).toContain('| rates | new | 2025-07-01T00:00:00Z | 3 | this change |');
  expect(card).not.toContain('| rates | old |');
});

it('gives the same text when it is refreshed once more by the same', () => {
  const once = refreshedCard(CARD, input());
  expect(refreshedCard(once, input())).toBe(once);
});

it('says anew which thresholds alert, where they were replaced', () => {
  const document = { operating: { threshold: 0.7, per_category: { atm: 0.8 } }, budgets: {} };
  const card = refreshedCard(CARD, input({ replaced: [], thresholds: { document, segment: 'kind' } }));
  expect(card).toContain('An alert is raised at 0.7 and above (replaced by refresh-2025-07-01)');
  expect(card).toContain('| atm | 0.8 |');
  expect(card).not.toContain('raised at 0.5');
  expect(card).toContain('| the bundle before |');
});
