import { expect, it } from 'vitest';
import { compareWithChampion, evaluateGates } from '../gates/gates.js';
import { comparisonTable, fourDigits } from './comparison.js';

it('shows four significant digits of whatever size, and what was not measured as that', () => {
  expect([0.81234567, 0.8, 12.34567, 12345.67, 0.000123456, 0, -0.5].map(fourDigits)).toEqual([
    ...['0.8123', '0.8000', '12.35', '12346', '0.0001235', '0.000', '-0.5000'],
  ]);
  expect([null, undefined, NaN].map(fourDigits)).toEqual(Array(3).fill('not measured'));
});

it('puts candidate and champion side by side, with the difference and what is required of both', () => {
  const candidate = { auc_pr: 0.81234, recall: 0.6, alert_rate: 0.02, latency: null };
  const champion = { version: 'b', metrics: { auc_pr: 0.8, recall: 0.65, alert_rate: 0.02 } };
  const gates = [
    ...evaluateGates(candidate, [
      { metric: 'auc_pr', min: 0.5 },
      { metric: 'latency', max: 5 },
    ]),
    ...compareWithChampion(candidate, champion, [
      { metric: 'auc_pr', max_drop: 0.01 },
      { metric: 'recall', max_drop: 0.01 },
    ]),
  ];
  expect(comparisonTable(candidate, champion, gates)).toEqual([
    ['figure', 'candidate', 'champion', 'difference', 'required', 'passed'],
    ['auc_pr', '0.8123', '0.8000', '+0.01234', '≥ 0.5000, ≥ 0.7900 (by the champion)', 'yes'],
    ['latency', 'not measured', 'not measured', '–', '≤ 5', 'NO'],
    ['recall', '0.6000', '0.6500', '−0.05000', '≥ 0.6400 (by the champion)', 'NO'],
    ['alert_rate', '0.02000', '0.02000', '0', '', ''],
  ]);
  expect(comparisonTable(candidate, null, []).slice(1)[0]).toEqual(['auc_pr', '0.8123', '–', '–', '', '']);
});
