import { describe, expect, it } from 'vitest';
import type { DriftDay } from '../../domain/drift/day.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { driftStart } from './kind.js';
import { comparisonText, dayText, outcomeText, snapshotText } from './view.js';

const day: DriftDay = {
  model: 'm',
  key: '2025-06-30',
  asOf: '2025-06-30T00:00:00.000Z',
  bundleVersion: 'b1',
  modelVersion: '1',
  verdict: 'inconclusive',
  why: '12 rows, of 300 that a verdict needs',
  rows: 12,
  featuresWithDrift: [],
  psi: {},
  alertRate: null,
  alertRateRatio: null,
  stalenessHours: null,
  isStale: false,
  sustained: { days: 0, required: 3, of: 5 },
  action: 'alert',
  reportKey: null,
  pageKey: null,
};

describe('what drift shows', () => {
  it('says of what could not be measured that it was not', () => {
    const text = dayText(day);
    expect(text).toContain('12 rows, of 300 that a verdict needs');
    expect(text).toContain('alert rate: not measured (12 rows)');
    expect(text).not.toMatch(/NaN|null|undefined/);
  });

  it('counts the age of the newest row from the end of the window, whenever it is looked at', () => {
    expect(dayText({ ...day, stalenessHours: 1.5 })).toContain('the newest 1.5 h before the end of the window');
    expect(dayText(day)).toContain('the newest unknown');
  });

  it('names the release that was started, and when the next may be', () => {
    const claim = { releaseId: 'drift-2025-06-30', asOf: day.asOf, reason: '', claimedAt: day.asOf, startedAt: null };
    const progress = {
      status: 'Retraining',
      steps: [],
      day,
      snapshot: null,
      mlflowUrl: 'http://mlflow',
      why: null,
    } as const;
    const retraining = { claim, workflowId: 'release/m/drift-2025-06-30', until: '2025-07-14T00:00:00.000Z' };
    const text = (outcome: 'started' | 'cooling-down') =>
      outcomeText(
        { progress: { ...progress, steps: [], retraining: { ...retraining, outcome } }, error: null, url: 'http://ui' },
        false,
      );
    expect(text('started')).toMatch(/sluice release watch drift-2025-06-30[\s\S]*http:\/\/mlflow/);
    expect(text('cooling-down')).toMatch(/no retraining before 2025-07-14.*drift-2025-06-30 was the last/);
  });

  it('shows a week without values, and columns that only one week has', () => {
    const week = {
      model: 'm',
      bundle_version: 'b1',
      from: '2025-06-22T00:00:00Z',
      to: '2025-06-29T00:00:00Z',
      rows: 0,
      probabilities: [0, 0.05, 0.5, 0.95, 1],
      columns: [
        { name: 'a', kind: 'numeric' as const, n: 0, missing_fraction: null, quantiles: null, categories: null },
        {
          name: 'b',
          kind: 'numeric' as const,
          n: 3,
          missing_fraction: 0,
          quantiles: [1, 2, 3, 4, 5],
          categories: null,
        },
      ],
    };
    expect(snapshotText(week)).toMatch(/a .*not measured[\s\S]*b .*2\.0000, 3\.0000, 4\.0000/);
    const text = comparisonText(week, week, { differences: [], gone: ['x'], added: ['y'] });
    expect(text).toContain('only in the earlier week: x');
    expect(text).toContain('only in the later week: y');
  });
});

describe('keys and exit codes', () => {
  it('a run is named by its day, or by day and time', () => {
    expect(driftStart({ actor: 'ada' }, 'm', '2025-06-30T00:00:00.000Z', 'daily').input).toMatchObject({
      key: '2025-06-30',
      kind: 'daily',
    });
    expect(driftStart({ actor: 'ada' }, 'm', '2025-06-30T02:00:00.000Z', 'weekly').ref.key).toBe(
      'weekly-2025-06-30T0200Z',
    );
  });

  it('tell a script drift from none, and neither from too little to judge by', () => {
    expect(
      ['None', 'Drift', 'Retraining', 'Inconclusive', 'Failed'].map((status) => exitCodeOf(status as 'None')),
    ).toEqual([EXIT.ok, EXIT.drift, EXIT.drift, EXIT.inconclusive, EXIT.failed]);
    expect(new Set([EXIT.ok, EXIT.drift, EXIT.inconclusive, EXIT.failed, EXIT.error]).size).toBe(5);
  });
});
