import { expect, it } from 'vitest';
import { gateLines, gatesOfProposal, overriddenGates, overridesProblem, unknownOverride } from './gates.js';
import type { ThresholdSummary } from './summary.js';

const estimate = (value: number | null) => ({ value, low: null, high: null });
const figures = (precision: number | null, recall: number) => ({
  ...{ precision: estimate(precision), recall: estimate(recall), f1: estimate(0.5) },
  alerts_per_day: estimate(20),
});
const summary = (now: number | null) =>
  ({
    ...{ window: { days: 10 }, counts: { rows: 4000 } },
    overall: { old: figures(0.83, 0.7), new: figures(now, 0.9) },
  }) as unknown as ThresholdSummary;
const gates = [
  { metric: 'precision', min: 0.75 },
  { metric: 'auc_roc', min: 0.8 },
  { metric: 'recall', min: 0.6 },
];

it("says what the release's own gates say of old and new thresholds, and leaves out what thresholds do not move", () => {
  expect(gateLines(gatesOfProposal(summary(0.33), gates))).toEqual([
    ["gate of the model's releases", 'required', 'old', 'new', 'passed'],
    ['precision', '≥ 0.7500', '0.8300', '0.3300', 'NO'],
    ['recall', '≥ 0.6000', '0.7000', '0.9000', 'yes'],
  ]);
});

it('counts what could not be measured as missed', () => {
  expect(gatesOfProposal(summary(null), gates)[0]).toMatchObject({
    passed: false,
    message: 'precision was not measured',
  });
});

it('takes the alert rate from the alerts a day, and nothing for a rate where there are no rows', () => {
  const rates = [{ metric: 'alert_rate', max: 0.1 }];
  expect(gatesOfProposal(summary(0.8), rates)).toMatchObject([{ gate: 'alert_rate', new: 0.05, passed: true }]);
  const empty = { ...summary(0.8), counts: { rows: 0 } } as unknown as ThresholdSummary;
  expect(gatesOfProposal(empty, rates)).toMatchObject([{ new: null, passed: false }]);
});

it('lets an approval override exactly the gates that are missed, and says what to write', () => {
  const missing = gatesOfProposal(summary(0.33), gates);
  expect(overridesProblem(missing, ['precision'])).toBeNull();
  expect(overridesProblem(missing, [])).toBe(
    'this proposal misses a gate of the model\'s releases (precision is 0.3300, 0.4200 below 0.7500). Reject it, or override exactly that: "overrides": ["precision"] in the decision\'s JSON, in a terminal --override precision; that needs the role overrider',
  );
  expect(overridesProblem(missing, ['precision', 'recall'])).toMatch(/^\/overrides names recall, which this proposal/);
  const passing = gatesOfProposal(summary(0.8), gates);
  expect(overridesProblem(passing, [])).toBeNull();
  expect(overridesProblem(passing, ['recall'])).toMatch(/does not miss: leave the overrides out$/);
  expect(unknownOverride(missing, ['auc_roc'])).toMatch(/no gate of this proposal: precision, recall/);
  expect(unknownOverride(missing, ['recall'])).toBeNull();
  expect(overriddenGates(missing)).toEqual([{ name: 'gates.precision', old: '≥ 0.7500', new: 0.33, weakens: true }]);
  expect(overriddenGates(gatesOfProposal(summary(null), gates))).toMatchObject([{ new: 'not measured' }]);
});
