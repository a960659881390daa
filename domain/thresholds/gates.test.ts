import { expect, it } from 'vitest';
import { gateLines, gatesOfProposal } from './gates.js';
import type { ThresholdSummary } from './summary.js';

const estimate = (value: number | null) => ({ value, low: null, high: null });
const figures = (precision: number | null, recall: number) => ({
  ...{ precision: estimate(precision), recall: estimate(recall), f1: estimate(0.5) },
});
const summary = (now: number | null) =>
  ({ overall: { old: figures(0.83, 0.7), new: figures(now, 0.9) } }) as unknown as ThresholdSummary;
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
