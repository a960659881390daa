import { describe, expect, it } from 'vitest';
import { describeDrift } from '../monitorDrift/details.js';
import { describePrune } from '../pruneArtifacts/details.js';
import { describeThresholds } from '../recalibrateThresholds/details.js';
import { describeRefresh } from '../refresh/details.js';
import { describeRelease } from '../releaseModel/details.js';
import { describeRollback } from '../rollbackRelease/details.js';
import { describeRollout } from '../rolloutBundle/details.js';
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
