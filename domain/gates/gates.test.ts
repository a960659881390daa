import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allPassed, compareWithChampion, evaluateGates } from './gates.js';

describe('evaluateGates', () => {
  it('passes on the bounds themselves', () => {
    expect(evaluateGates({ alert_rate: 0.01 }, [{ metric: 'alert_rate', min: 0.01, max: 0.1 }])[0]).toMatchObject({
      passed: true,
      required: '≥ 0.01000 and ≤ 0.1000',
    });
  });

  it('says which gate failed and by how much', () => {
    const [low, high] = evaluateGates({ recall: 0.5, alert_rate: 0.2 }, [
      { metric: 'recall', min: 0.6 },
      { metric: 'alert_rate', max: 0.1 },
    ]);
    expect(low).toMatchObject({ passed: false, message: 'recall is 0.5000, 0.1000 below 0.6000' });
    expect(high).toMatchObject({ passed: false, message: 'alert_rate is 0.2000, 0.1000 above 0.1000' });
  });

  it('invariant 6: a missing, null, NaN or infinite metric fails', () => {
    fc.assert(
      fc.property(fc.constantFrom(undefined, null, NaN, Infinity, -Infinity), (value) => {
        const metrics = value === undefined ? {} : { precision: value };
        expect(evaluateGates(metrics, [{ metric: 'precision', min: 0 }])[0]).toMatchObject({
          passed: false,
          observed: null,
        });
      }),
    );
  });

  it('passes exactly when the value lies within the bounds', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (value, min) => {
          expect(evaluateGates({ m: value }, [{ metric: 'm', min }])[0]?.passed).toBe(value >= min);
        },
      ),
    );
  });
});

describe('compareWithChampion', () => {
  const rule = [{ metric: 'auc_roc', max_drop: 0.05 }];

  it('has nothing to say without a champion', () => {
    expect(compareWithChampion({ auc_roc: 0.9 }, null, rule)).toEqual([]);
  });

  it('allows a drop up to the tolerance and no further', () => {
    const champion = { version: 'v', metrics: { auc_roc: 0.95 } };
    expect(compareWithChampion({ auc_roc: 0.91 }, champion, rule)[0]?.passed).toBe(true);
    expect(compareWithChampion({ auc_roc: 0.89 }, champion, rule)[0]?.passed).toBe(false);
  });

  it('invariant 6: fails when either side was not measured', () => {
    expect(compareWithChampion({}, { version: 'v', metrics: { auc_roc: 0.9 } }, rule)[0]?.passed).toBe(false);
    expect(compareWithChampion({ auc_roc: 0.9 }, { version: 'v', metrics: { auc_roc: NaN } }, rule)[0]?.passed).toBe(
      false,
    );
  });
});

it('an empty table is not a pass', () => {
  expect(allPassed([])).toBe(false);
});
