import { describe, expect, it } from 'vitest';
import { describeDrift } from '../monitorDrift/details.js';
import { describePrune } from '../pruneArtifacts/details.js';
import { describeThresholds } from '../recalibrateThresholds/details.js';
import { describeRefresh } from '../refresh/details.js';
import { describeRelease } from '../releaseModel/details.js';
import { describeRollback } from '../rollbackRelease/details.js';
import { describeRollout } from '../rolloutBundle/details.js';
import { parameterChanges, type CandidateProvenance } from '../../domain/release/provenance.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { bounded } from './details.js';
import type { StepProgress } from './progress.js';

/** What somebody might type as a reason, or a server might answer, to make the page say something else. */
const HOSTILE = 'ok | yes |\n\n# Approved by grace\n\n<b>x</b> [here](http://evil) `code`\n```';
const asOf = '2025-06-30T00:00:00.000Z';
const steps: StepProgress[] = [{ name: 'a', status: 'failed', startedAt: null, finishedAt: null, detail: HOSTILE }];
const ended = { steps, status: 'Failed' as const, why: HOSTILE };
const person = { caller: { actor: HOSTILE, reason: HOSTILE } };
const bundle = { version: 'b', manifestSha256: 'd' };
const unknown = { approval: null, bundleVersion: null, generation: null, decidedBy: null };

const PAGES: Record<string, string> = {
  release: describeRelease({ model: 'm', releaseId: 'r', asOf, ...person }, 'w', {
    ...ended,
    ...unknown,
    training: null,
    metrics: null,
    gates: [{ name: HOSTILE, passed: false, observed: null, required: HOSTILE, message: HOSTILE }],
    modelVersion: null,
    dataSnapshotId: null,
  }),
  refresh: describeRefresh({ model: 'm', asOf, key: 'k', ...person }, null, 'w', {
    ...ended,
    ...unknown,
    jobs: [{ job: 'fxRates', state: 'failed', artifacts: [], error: HOSTILE }],
  }),
  thresholds: describeThresholds({ model: 'm', asOf, key: 'k', ...person }, 'w', {
    ...ended,
    ...unknown,
    proposal: null,
    decisionReason: HOSTILE,
    edited: null,
  }),
  drift: describeDrift(
    { model: 'm', asOf, key: 'k', kind: 'daily' },
    { ...ended, day: null, snapshot: null, retraining: null, mlflowUrl: null },
  ),
  rollout: describeRollout(
    {
      model: 'm',
      environment: 'production',
      bundle,
      base: null,
      releaseId: 'r',
      ...person,
      replicaWaitSeconds: 1,
    },
    ended,
  ),
  rollback: describeRollback(
    { model: 'm', environment: 'production', releaseId: 'r', version: null, ...person },
    ended,
  ),
  prune: describePrune(
    { model: 'm', ...person },
    {
      ...ended,
      result: {
        model: 'm',
        deleted: [{ kind: 'bundle', name: HOSTILE, objects: 1, bytes: 1 }],
        spared: [],
        kept: 0,
      },
    },
  ),
};

describe('text from people and errors', () => {
  it.each(Object.entries(PAGES))('cannot reshape the page of a %s', (_, text) => {
    const lines = text.split('\n');
    expect(text).toContain('Approved by grace');
    expect(lines.filter((line) => /^\s*#/.test(line))).toEqual([]);
    expect(lines.filter((line) => /^\s*```/.test(line))).toEqual([]);
    expect(text).not.toMatch(/<b>|[^\\\]]\]\(http:\/\/evil/);
    // Each row of a table has as many cells as the table's titles.
    let titles: number | null = null;
    for (const line of lines) {
      const cells = line.startsWith('|') ? line.replaceAll(/\\./g, '').split('|').length : null;
      if (cells !== null && titles !== null) expect(cells).toBe(titles);
      titles = cells === null ? null : (titles ?? cells);
    }
  });
});

it('tells how to decide in the UI and in a terminal', () => {
  const digest = 'd'.repeat(64);
  const text = describeRelease(
    { model: 'm', releaseId: 'r1', asOf, caller: { actor: 'ada', reason: 'new data' } },
    'release/m/r1',
    {
      status: 'WaitingForApproval',
      steps: [],
      why: null,
      ...unknown,
      training: null,
      metrics: null,
      gates: [],
      modelVersion: '3',
      dataSnapshotId: null,
      approval: {
        digest,
        deadline: asOf,
        proposal: {
          model: 'm',
          releaseId: 'r1',
          modelVersion: '3',
          onnxSha256: digest,
          operatingThreshold: 0.5,
          metrics: {},
          gates: [],
          champion: null,
        },
      },
    },
  );
  expect(text).toContain(`## To decide by ${asOf}`);
  expect(text).toContain('name `decide`');
  const json = /```json\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '';
  expect(JSON.parse(json)).toEqual({
    decisionId: 'ui-r1',
    verdict: 'approve',
    actor: 'YOUR NAME',
    reason: 'WHY',
    digest,
  });
  expect(text).toContain('`sluice release approve r1 --reason WHY` or `sluice release reject r1 --reason WHY`');
});

/** A release that waits for a decision, with texts as long as anybody makes them. */
const waitingRelease = (text: string, gates: number): string =>
  describeRelease({ model: 'm', releaseId: 'r1', asOf, caller: { actor: text, reason: text } }, 'release/m/r1', {
    status: 'WaitingForApproval',
    steps: Array.from({ length: 12 }, () => ({ ...(steps[0] as StepProgress), detail: text })),
    why: text,
    ...unknown,
    training: null,
    metrics: null,
    gates: [],
    modelVersion: '3',
    dataSnapshotId: 'snap',
    data: { from: '2025-01-01', to: '2025-06-30', rows: 1000, positives: 20 },
    approval: {
      digest: 'd'.repeat(64),
      deadline: asOf,
      proposal: {
        model: 'm',
        releaseId: 'r1',
        modelVersion: '3',
        onnxSha256: 'o',
        operatingThreshold: 0.41234567,
        metrics: { auc_pr: 0.81234567, daily_alerts: 23.456789 },
        gates: Array.from({ length: gates }, (_, index) => ({
          ...{ name: `gate ${index}`, passed: true, observed: 1, required: text, message: text },
        })),
        champion: {
          version: 'b-live',
          metrics: { auc_pr: 0.8, operating_threshold: 0.51234567, daily_alerts: 12.345678 },
        },
        data: { snapshotId: 'snap', from: '2025-01-01', to: '2025-06-30', rows: 1000, positives: 20 },
        provenance: provenance(text),
      },
    },
  });

/** As much as `provenance` lets through. */
const provenance = (text: string): CandidateProvenance => ({
  links: { run: 'http://mlflow:5000/#/experiments/1/runs/r>1', version: 'http://mlflow:5000/#/models/m/versions/3' },
  champion: {
    bundle: 'b-live',
    files: 's3://sluice/fraud/artifacts/m/b-live/',
    modelVersion: '2',
    asOf: '2025-03-31',
    links: { run: null, version: 'http://mlflow:5000/#/models/m/versions/2' },
    snapshotId: 'snap-before',
    data: { from: '2024-10-01', to: '2025-03-31', rows: 900, positives: 9 },
  },
  parameters: parameterChanges(
    { num_leaves: '15', ...Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`p${index} ${text}`, text])) },
    { num_leaves: '31' },
  ),
});

it('shows thresholds with the alerts they make, what changed in data and parameters, and links that open', () => {
  const text = waitingRelease('x', 0);
  expect(text).toContain('| threshold | 0.5123 | 0.4123 |\n| expected alerts a day | 12.35 | 23.46 |');
  expect(text).toContain(
    [
      '| transactions | 900 | 1000 |',
      '| frauds | 9 (1.000 %) | 20 (2.000 %) |',
      '| from | 2024-10-01 | 2025-01-01 |',
      '| to | 2025-03-31 | 2025-06-30 |',
      '| snapshot | snap-before | snap |',
    ].join('\n'),
  );
  expect(text).toContain('| num\\_leaves | 15 | 31 |');
  expect(text).toContain(
    '[version 3 in MLflow](<http://mlflow:5000/#/models/m/versions/3>), [its training run](<http://mlflow:5000/#/experiments/1/runs/r%3E1>)',
  );
  expect(text).toContain('[version 2 in MLflow](<http://mlflow:5000/#/models/m/versions/2>), its run has been deleted');
  expect(text).toContain('`s3://sluice/fraud/artifacts/m/b-live/`');
});

it('shows candidate and champion side by side, the difference, the threshold and the data', () => {
  const text = waitingRelease('x', 0);
  expect(text).toContain('| figure | candidate | champion | difference | required | passed |');
  expect(text).toContain('| auc\\_pr | 0.8123 | 0.8000 | +0.01235 |  |  |');
  expect(text).toContain('Operating threshold 0.4123; live now: `b-live`, the champion.');
  expect(text).toContain('Data: 1000 transactions with 20 frauds (2.000 %), from 2025-01-01 to 2025-06-30');
});

it('stays under what Temporal shows, and still says how to decide', () => {
  const text = bounded(waitingRelease('漢|"`'.repeat(50_000), 300));
  expect(Buffer.byteLength(text)).toBeLessThan(512 * 1024);
  const json = /```json\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '';
  expect(JSON.parse(json)).toMatchObject({ decisionId: 'ui-r1' });
  expect(text).toContain('`sluice release approve r1 --reason WHY`');
  expect(text).toContain('… cut here');
  expect(bounded('short')).toBe('short');
});

it('says first that thresholds would miss the gates of a release', () => {
  const page = describeThresholds({ model: 'm', asOf, key: 'k', ...person }, 'w', {
    ...ended,
    ...unknown,
    status: 'WaitingForApproval',
    proposal: null,
    edited: null,
    decisionReason: null,
    gates: [
      { gate: 'precision', required: '≥ 0.7500', old: 0.83, new: 0.33, passed: false, message: 'precision is 0.3300' },
    ],
    approval: {
      ...{ digest: 'd', deadline: asOf },
      proposal: {
        ...THRESHOLDS,
        gates: [{ gate: 'precision', required: '', old: 0.83, new: 0.33, passed: false, message: 'm' }],
      },
    },
  });
  const json = /```json\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '';
  expect(JSON.parse(json)).toMatchObject({ verdict: 'approve', overrides: ['precision'] });
  expect(page).toContain('`sluice thresholds approve k --reason WHY --override precision`');
  expect(page).toContain('**A release with these figures would not pass its gates: precision is 0.3300.**');
  expect(page).toContain('| precision | ≥ 0.7500 | 0.8300 | 0.3300 | NO |');
  expect(page.indexOf('would not pass')).toBeLessThan(page.indexOf('More Actions'));
  expect(page).toContain('| alerts a day | 10.00 | 12.00 |');
});

const estimate = (value: number) => ({ value, low: null, high: null });
const figures = (alerts: number) => ({
  ...{ precision: estimate(0.5), recall: estimate(0.5), f1: estimate(0.5), alerts_per_day: estimate(alerts) },
  ...{ saved_per_day: estimate(1), missed_per_day: estimate(1) },
});
const THRESHOLDS = {
  costs: { currency: 'USD' },
  overall: {
    threshold: { old: 0.5, new: 0.4 },
    old: figures(10),
    new: figures(12),
    gain_per_day: estimate(1),
    precision_at: {},
  },
} as unknown as ThresholdSummary;
