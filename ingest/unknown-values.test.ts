import { describe, expect, it } from 'vitest';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { unknownValues } from './unknown-values.js';

const model = await loadModel(projectPath('models'), 'ulb_gbdt');
const [known = ''] = Object.keys(
  (model.staticLookups['operation_type_synonyms']!.document as { synonyms: Record<string, string> }).synonyms,
);

describe('what an import says of values that the model does not know', () => {
  it('counts and names them, the most frequent first, and what a release takes', () => {
    const counted = unknownValues(model);
    for (const operation_type of ['kite', 'kite', 'sledge']) counted.accept({ operation_type, merchant_name: 'A' });
    counted.accept({ operation_type: known, merchant_name: '  ' });
    const { max_unmapped_fraction } = model.spec.data.checks;
    const verdict = (name: string) =>
      max_unmapped_fraction[name] === undefined
        ? ''
        : `, more than a release takes (${100 * max_unmapped_fraction[name]} %)`;
    expect(counted.notices().sort()).toEqual([
      `1 of 4 rows have a /merchant_name that the model does not know (no merchant_normalised)${verdict('merchant_normalised')}: "  " × 1`,
      `3 of 4 rows have a /operation_type that the model does not know (no operation_type_canonical)${verdict('operation_type_canonical')}: "kite" × 2, "sledge" × 1`,
    ]);
  });

  it('counts values that a release does not accept', () => {
    const counted = unknownValues(model);
    for (const currency of ['TRY', 'EUR', 'TRY']) counted.accept({ currency });
    expect(counted.notices()).toEqual([
      '2 of 3 rows have a /currency that a release does not accept (it accepts USD, EUR, GBP, PLN, SEK, CHF, JPY): "TRY" × 2',
    ]);
  });

  it('says nothing where everything is known', () => {
    const counted = unknownValues(model);
    counted.accept({ operation_type: known, merchant_name: 'A' });
    expect(counted.notices()).toEqual([]);
  });

  it('does not show a text of any length', () => {
    const counted = unknownValues(model);
    counted.accept({ operation_type: 'x'.repeat(1_000), merchant_name: 'A' });
    expect(counted.notices().join('').length).toBeLessThan(250);
  });
});
