import { expect, it } from 'vitest';
import { MANIFEST_FACTS } from '../../test/support/manifest-facts.js';
import { modelCard, type ModelCardInput } from './model-card.js';

const input = (per_category: Record<string, number>, rows = 0): ModelCardInput => ({
  manifest: {
    ...MANIFEST_FACTS,
    metrics: { brier: 0.007958369931739206, test_rows: 123654, auc_roc: 0.9871258322720486, recall: null },
  },
  spec: { description: '', owner: 'o', segment: 'kind', operating_threshold: { strategy: 'max_f1' } as never },
  registry: { features: [] } as never,
  thresholds: {
    operating: { threshold: 0.47110733641142355, per_category },
    budgets: { '1pct': { threshold: 0.8551945686462343 } },
  } as never,
  data: { from: 'a', to: 'b', asOf: 'c', rows: 2, positives: 1, splits: {} },
  lookups: { table: { made: { version: 'v', as_of: 'c', rows } as never, rebased: false } },
});
const card = (...of: Parameters<typeof input>): string => modelCard(input(...of));

it('has the figures that decide first, to four digits, and counts in full', () => {
  const figures = card({}).split('## Figures on the held-out part')[1]?.split('##')[0] ?? '';
  expect(figures.match(/^\| \S+ \| [\w. ]+ \|$/gm)).toEqual([
    '| metric | value |',
    '| auc\\_roc | 0.9871 |',
    '| recall | not measured |',
    '| brier | 0.007958 |',
    '| test\\_rows | 123654 |',
  ]);
});

it('has no table of thresholds where there is one threshold', () => {
  expect(card({})).toContain('at 0.4711 and above (max\\_f1, chosen on validation data), whatever the kind is.');
  expect(card({})).not.toContain('| kind |');
  expect(card({ travel: 0.123456 })).toMatch(
    /these values of kind:\n\n\| kind \| threshold \|\n.*\n\| travel \| 0\.1235 \|/,
  );
});

it('says of a table that comes with the model that no rows were counted for it, and of code what it was', () => {
  expect(card({})).toContain('| table | v | c | none: a file of its own |');
  expect(card({}, 7)).toContain('| table | v | c | 7 |');
  expect(card({})).toContain('| git commit | none: the code was no Git checkout |');
});
