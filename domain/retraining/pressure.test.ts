import { describe, expect, it } from 'vitest';
import type { DriftReport } from '../../schemas/types.js';
import type { DriftPolicy } from '../drift/types.js';
import { pressuresOf } from './pressure.js';

type Report = Parameters<typeof pressuresOf>[0];

const quiet: Report = {
  alert_rate: {
    verdict: 'ok',
    why: [],
    n: 9000,
    rate: 0.02,
    reference: 0.02,
    ratio: 1,
    per_day_ratio: 1,
    p: 1,
    p_adjusted: 1,
  },
  prediction: { verdict: 'ok' } as DriftReport['prediction'],
  performance: { verdict: 'ok', why: [], from: null, to: null, rows: 900, frauds: 90, alerts: 80, metrics: [] },
};
const policyOf = (retraining: Partial<DriftPolicy['retraining']> = {}): DriftPolicy =>
  ({
    performance: { min_frauds: 50, max_drop: 0.05 },
    retraining: { days: 3, of: 5, max_alert_rate_ratio: 1.5, cooldown_days: 14, ...retraining },
  }) as DriftPolicy;
const rate = (ratio: number | null, perDay: number): Report => ({
  ...quiet,
  alert_rate: { ...quiet.alert_rate, ratio, per_day_ratio: perDay },
});
const labels = (name: string, value: number, high: number): Report => ({
  ...quiet,
  performance: { ...quiet.performance, verdict: 'drift', metrics: [{ name, value, low: 0, high, reference: 0.8 }] },
});

describe('pressures', () => {
  it.each([
    ['nothing', quiet, []],
    ['a raised alert rate', rate(1.6, 1.7), ['alert_rate']],
    ['one that fell as far', rate(0.6, 0.5), ['alert_rate']],
    ['one that fell because there is more of the rest', rate(0.6, 1), []],
    ['an unknown one', rate(null, 1), []],
    ['recall of matured labels', labels('recall', 0.6, 0.7), ['recall']],
    ['precision', labels('precision', 0.6, 0.7), ['precision']],
    ['AUPRC', labels('auc_pr', 0.6, 0.7), ['auc_pr']],
    ['a metric within its interval', labels('auc_pr', 0.6, 0.81), []],
    ['known frauds that are missed', { ...quiet, known_frauds: { verdict: 'drift', why: [], scopes: [] } }, ['recall']],
    ['the score', { ...quiet, prediction: { verdict: 'drift' } as DriftReport['prediction'] }, ['score']],
  ] as const)('%s', (_, report, expected) => {
    expect(pressuresOf(report as Report, policyOf())).toEqual(expected);
  });

  it('are those of the spec alone', () => {
    const score = { ...rate(2, 2), prediction: { verdict: 'drift' } as DriftReport['prediction'] };
    expect(pressuresOf(score, policyOf())).toEqual(['alert_rate', 'score']);
    expect(pressuresOf(score, policyOf({ pressures: ['score'] }))).toEqual(['score']);
    expect(pressuresOf(score, policyOf({ pressures: [] }))).toEqual([]);
  });
});
