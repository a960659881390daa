import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDecision } from './decide.js';
import { compileIsotonic } from './isotonic.js';

describe('compileIsotonic', () => {
  const calibrate = compileIsotonic({ x: [0.1, 0.4, 0.4, 0.9], y: [0, 0.2, 0.6, 1] });

  it.each([
    [0, 0],
    [0.1, 0],
    [0.25, 0.1],
    [0.4, 0.6],
    [0.65, 0.8],
    [0.9, 1],
    [5, 1],
  ])('%f → %f', (score, expected) => expect(calibrate(score)).toBeCloseTo(expected, 12));

  it('keeps NaN, so that it cannot pass for a probability', () => expect(calibrate(NaN)).toBeNaN());

  it('never falls where the score rises', () => {
    const score = fc.double({ noNaN: true, min: -1, max: 2 });
    fc.assert(
      fc.property(score, score, (a, b) => {
        expect(calibrate(Math.max(a, b))).toBeGreaterThanOrEqual(calibrate(Math.min(a, b)));
      }),
    );
  });

  it.each([
    { x: [0, 1], y: [0] },
    { x: [1, 0], y: [0, 1] },
    { x: [0, NaN], y: [0, 1] },
  ])('refuses %j', (map) => expect(() => compileIsotonic(map)).toThrow('isotonic'));
});

describe('compileDecision', () => {
  const thresholds = { operating: { threshold: 0.5, per_category: { risky: 0.3, __proto__x: 0.1 } }, budgets: {} };
  const rules = {
    rules: [
      { name: 'tiny', feature: 'worth', below: 1, decision: 'pass' as const, reason_code: 'TINY' },
      { name: 'between', feature: 'hour', above: 2, below: 4, decision: 'alert' as const, reason_code: 'NIGHT' },
      { name: 'huge', feature: 'worth', above: 100, decision: 'alert' as const, reason_code: 'HUGE' },
    ],
  };
  const decide = compileDecision({ thresholds, rules, featureNames: ['worth', 'hour'] });
  const values = [50, 12];

  it('alerts at the threshold and above', () => {
    expect(decide({ calibrated: 0.5, segment: null, values })).toEqual({
      decision: 'alert',
      decided_by: { kind: 'threshold', name: 'operating', value: 0.5, limit: 0.5 },
      threshold: 0.5,
      reason_code: null,
    });
    expect(decide({ calibrated: 0.499, segment: 'other', values }).decision).toBe('pass');
  });

  it("prefers the segment's own threshold", () => {
    expect(decide({ calibrated: 0.3, segment: 'risky', values })).toMatchObject({
      decision: 'alert',
      decided_by: { name: 'operating/risky', limit: 0.3 },
      threshold: 0.3,
    });
    expect(decide({ calibrated: 0.3, segment: 'toString', values }).threshold).toBe(0.5);
  });

  it('lets the first rule that matches decide, whatever the score', () => {
    expect(decide({ calibrated: 0.99, segment: null, values: [0.5, 3] })).toMatchObject({
      decision: 'pass',
      decided_by: { kind: 'rule', name: 'tiny', value: 0.5, limit: 1 },
      reason_code: 'TINY',
    });
    expect(decide({ calibrated: 0, segment: null, values: [0, 0, 500, 3], offset: 2 }).decided_by.name).toBe('between');
    expect(decide({ calibrated: 0, segment: null, values: [101, 4] }).decided_by.name).toBe('huge');
    expect(decide({ calibrated: 0, segment: null, values: [100, 4] }).decided_by.kind).toBe('threshold');
  });

  it('does not decide on NaN', () => {
    expect(() => decide({ calibrated: NaN, segment: null, values })).toThrow('must be a number');
  });

  it('refuses rules that cannot be applied', () => {
    const with_ = (rule: object) => () =>
      compileDecision({ thresholds, rules: { rules: [{ ...rules.rules[0]!, ...rule }] }, featureNames: ['worth'] });
    expect(with_({ feature: 'nothing' })).toThrow('nothing is not a feature of the model');
    expect(with_({ below: undefined })).toThrow('neither above nor below');
  });
});
