import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readKeptDay } from '../../stores/drift/archive.js';
import { COLLECTIONS } from '../../stores/collections.js';
import { RELEASE } from '../../client/release/kind.js';
import { findRun, readProgress } from '../../client/runs/access.js';
import { listRuns } from '../../client/runs/list.js';
import type { Session } from '../../client/session.js';
import { createMlflowTracking } from '../../platform/mlflow-tracking.js';
import type { Mongo } from '../../platform/mongo.js';
import type { DriftResult } from '../../workflows/monitorDrift/contract.js';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Cli } from '../support/cli.js';
import { startDemoStack, type DemoStack } from '../support/demo-stack.js';
import { trainLess } from '../support/train-less.js';

// The demo's live model, and a world in which every amount has grown: drift is seen, lasts, and starts one retraining, whoever is killed.
const MODEL = 'ulb_gbdt';
/** so much more is spent, by everyone; enough for alerts to become half as many again */
const GROWTH = 3;

let stack: DemoStack;
let cli: Cli;
let session: Session;
let mongo: Mongo;
beforeAll(async () => {
  stack = await startDemoStack({ ownModels: true });
  // What a retraining is made of is not the point here, only that there is one.
  await trainLess(join(stack.directory, 'models', MODEL));
  ({ cli, session, mongo } = stack);
});
afterAll(() => stack?.stop());

async function drift(...words: string[]): Promise<{ exitCode: number; result: DriftResult; stderr: string }> {
  const { exitCode, json, stderr } = await cli.run('--json', 'drift', ...words);
  return { exitCode, result: json as unknown as DriftResult, stderr };
}
async function replay(from: string, to: string): Promise<void> {
  const { exitCode, stderr } = await cli.run('--json', 'score', 'replay', '--from', from, '--to', to);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
}
/** Releases that were ever started by drift. */
const retrainings = async (): Promise<string[]> =>
  (await listRuns(session, RELEASE, 100)).map(({ releaseId }) => releaseId).filter((id) => id.startsWith('drift-'));
const claims = async () =>
  (
    await mongo.db
      .collection<{ _id: string; claims: { release_id: string; started_at: Date | null }[] }>(
        COLLECTIONS.retrainings.name,
      )
      .findOne({ _id: MODEL })
  )?.claims ?? [];
const alertsOf = async (word: string): Promise<string[]> =>
  (await readFile(join(stack.stateDir, 'alerts.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`"drift/${MODEL}/`) && line.includes(word));

describe('drift on real servers', () => {
  it('says that nothing was scored, with an exit code of its own', async () => {
    const { exitCode, result } = await drift('run', '--as-of', '2025-06-20');
    expect(result).toMatchObject({ status: 'Inconclusive', day: { rows: 0, verdict: 'inconclusive' } });
    expect(exitCode).toBe(9);
  });

  it('finds none in the week that followed the training data, and none is started', async () => {
    await replay('2025-06-13', '2025-06-20');
    const { exitCode, result } = await drift('run', '--as-of', '2025-06-20');
    expect(result.day?.featuresWithDrift).toEqual([]);
    expect(['None', 'Warning']).toContain(result.status);
    expect(exitCode).toBe(0);
    expect(await retrainings()).toEqual([]);
  });

  it('sustained on three days starts one retraining, with kill -9 of the release worker and of the data worker in between', async () => {
    await mongo.db
      .collection('bank_transactions')
      .updateMany(
        { booked_at: { $gte: new Date('2025-06-21'), $lt: new Date('2025-07-01') } },
        { $mul: { amount: GROWTH } },
      );
    await replay('2025-06-21', '2025-07-01');
    for (const [day, sustained] of [
      ['2025-06-28', 1],
      ['2025-06-29', 2],
    ] as const) {
      const { exitCode, result } = await drift('run', '--as-of', day);
      expect(result).toMatchObject({ status: 'Drift', retraining: null, day: { sustained: { days: sustained } } });
      expect(exitCode).toBe(8);
    }
    expect(await retrainings()).toEqual([]);

    await drift('run', '--as-of', '2025-06-30', '--no-watch');
    await stack.kill('data-worker');
    const releaseWorker = await stack.pidOf('release-worker');
    await vi.waitUntil(async () => (await claims()).length > 0, { timeout: 120_000, interval: 1 });
    process.kill(releaseWorker, 'SIGKILL');
    const { exitCode, result } = await drift('run', '--as-of', '2025-06-30');
    expect(result).toMatchObject({
      status: 'Retraining',
      day: { verdict: 'drift', action: 'retrain', sustained: { days: 3 } },
      retraining: { outcome: 'started', claim: { releaseId: 'drift-2025-06-30' } },
    });
    expect(exitCode).toBe(8);
    expect(await claims()).toMatchObject([{ release_id: 'drift-2025-06-30', started_at: expect.any(Date) }]);
    await vi.waitUntil(async () => (await retrainings()).length > 0, { timeout: 30_000 });
    expect(await retrainings()).toEqual(['drift-2025-06-30']);
    const { handle } = await findRun(session, RELEASE, { model: MODEL, releaseId: 'drift-2025-06-30' });
    expect((await readProgress<ReleaseProgress>(handle)).steps[0]?.name).toBe('snapshot');
    expect(await alertsOf('drift as of 2025-06-30')).toHaveLength(1);
  });

  it('the next day, inside the cool-down, starts none', async () => {
    const { exitCode, result } = await drift('run', '--as-of', '2025-07-01');
    expect(result).toMatchObject({
      status: 'Drift',
      day: { action: 'retrain' },
      retraining: { outcome: 'cooling-down', claim: { releaseId: 'drift-2025-06-30' } },
    });
    expect(exitCode).toBe(8);
    expect(await retrainings()).toEqual(['drift-2025-06-30']);
    expect(await claims()).toHaveLength(1);
  });

  it('each day has its report in S3 and its one run in MLflow, and shows', async () => {
    const tracking = createMlflowTracking(stack.settings.MLFLOW_TRACKING_URI);
    const experiment = await tracking.ensureExperiment(`${MODEL}-drift`);
    for (const key of ['2025-06-20', '2025-06-28', '2025-06-30', '2025-07-01']) {
      const { report, mlflowRunId } = await readKeptDay(mongo.db, stack.store, MODEL, key);
      expect(report?.timestamp.slice(0, 10)).toBe(key);
      const runs = await tracking.findRuns(experiment, { key: 'sluice.drift', value: `${MODEL}/${key}` });
      expect(runs.map(({ runId }) => runId)).toEqual([mlflowRunId]);
    }
    const { exitCode, stdout } = await cli.run('drift', 'show', '2025-06-30');
    expect(stdout).toMatch(/drift on 3 of the last 5 days/);
    expect(exitCode).toBe(8);
    expect((await cli.run('drift', 'show', '2025-01-01')).exitCode).toBe(7);
  });

  it('compares two weeks by their snapshots', async () => {
    for (const day of ['2025-06-20', '2025-06-28'])
      expect(await drift('run', '--as-of', day, '--weekly')).toMatchObject({
        exitCode: 0,
        result: { status: 'Recorded' },
      });
    const { exitCode, json } = await cli.run('--json', 'drift', 'compare', 'weekly-2025-06-20', 'weekly-2025-06-28');
    const { differences } = json as unknown as {
      differences: { name: string; psi: number; median: number[] | null }[];
    };
    const [largest] = differences;
    expect(largest?.psi).toBeGreaterThan(0.25);
    expect(exitCode).toBe(0);
    expect((await cli.run('drift', 'list')).stdout.split('\n').length).toBeGreaterThanOrEqual(7);
  });
});
