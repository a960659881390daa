import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAuditLog } from '../../stores/audit-log.js';
import { RELEASE } from '../../client/release/kind.js';
import { findRun, readProgress } from '../../client/runs/access.js';
import type { Session } from '../../client/session.js';
import { verifyAuditChain } from '../../domain/audit/chain.js';
import { flattenSteps } from '../../workflows/common/progress.js';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Cli } from '../support/cli.js';
import { startDemoStack, type DemoStack } from '../support/demo-stack.js';
import { sample, scrapePart } from '../support/scrape.js';
import { trainLess } from '../support/train-less.js';

// One whole stack, as `npm start` makes it, and what an engineer does with it: release, fail a gate, be killed, race, roll back.
let stack: DemoStack;
let cli: Cli;
let env: Record<string, string>;
let session: Session;
const MODEL = 'ulb_gbdt';

beforeAll(async () => {
  stack = await startDemoStack({ ownModels: true });
  ({ cli, env, session } = stack);
});

afterAll(() => stack?.stop());

interface Shown extends ReleaseProgress {
  error: string | null;
  timing: { totalSeconds: number; orchestrationSeconds: number; stackStartToLiveSeconds: number | null };
}
async function release(id: string, ...options: string[]): Promise<{ exitCode: number; shown: Shown }> {
  const { exitCode, json, stderr } = await cli.run(
    '--json',
    'release',
    'start',
    '--id',
    id,
    '--as-of',
    '2025-06-30',
    ...options,
  );
  expect(stderr).toBe('');
  return { exitCode, shown: json as unknown as Shown };
}
async function pointer(): Promise<{ version: string; generation: number }> {
  const metadata = (await (await fetch(`${env['SCORER_URL']}/v1/metadata`)).json()) as {
    bundle_version: string;
    generation: number;
  };
  return { version: metadata.bundle_version, generation: metadata.generation };
}
const registry = async () => {
  const url = new URL('/api/2.0/mlflow/model-versions/search', env['MLFLOW_TRACKING_URI']);
  url.searchParams.set('filter', `name='${MODEL}'`);
  const found = (await (await fetch(url)).json()) as {
    model_versions?: { version: string; current_stage: string; run_id: string }[];
  };
  return (found.model_versions ?? [])
    .map((one) => ({ version: one.version, stage: one.current_stage, runId: one.run_id }))
    .sort((a, b) => Number(a.version) - Number(b.version));
};
async function untilStep(id: string, step: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      const progress = await findRun(session, RELEASE, { model: MODEL, releaseId: id })
        .then(({ handle }) => readProgress<ReleaseProgress>(handle))
        .catch(() => null);
      return flattenSteps(progress?.steps ?? []).some(
        ({ step: { name, status } }) => name === step && status !== 'pending',
      );
    },
    { timeout: 300_000, interval: 50 },
  );
}

describe('a release on real servers', () => {
  it('npm start ends with a live, smoked model that answers', async () => {
    const { exitCode, json } = await cli.run('--json', 'release', 'show', 'demo');
    const shown = json as unknown as Shown;
    expect(exitCode).toBe(0);
    expect(shown.status).toBe('Released');
    expect(shown.steps.every(({ status: s }) => s === 'done')).toBe(true);
    expect(shown.gates.every(({ passed }) => passed)).toBe(true);
    expect(shown.timing.stackStartToLiveSeconds).toBeGreaterThan(0);
    expect(await pointer()).toEqual({ version: shown.bundleVersion, generation: 1 });
    expect(await registry()).toEqual([{ version: '1', stage: 'Production', runId: shown.training?.runId }]);
    const progress = await readFile(join(stack.directory, 'reports', 'PROGRESS.md'), 'utf8');
    expect(progress).toContain(shown.training?.runId);
  });

  it('invariant 9: the same data, code and seed give the same snapshot and the same ONNX, which is not published twice', async () => {
    const first = (await cli.run('--json', 'release', 'show', 'demo')).json as unknown as Shown;
    const { exitCode, shown } = await release('again');
    expect(shown).toMatchObject({ status: 'Superseded', dataSnapshotId: first.dataSnapshotId });
    expect(shown.training?.onnxSha256).toBe(first.training?.onnxSha256);
    expect(exitCode).toBe(5);
  });

  it('a release id that exists is found, not started again', async () => {
    const { exitCode, shown } = await release('demo');
    expect(exitCode).toBe(0);
    expect(shown.generation).toBe(1);
  });

  it('a training that fails its gates leaves pointer, aliases and scorer as they were', async () => {
    const before = [await pointer(), await registry()];
    const { exitCode, shown } = await release('gated', '--gate', 'precision>=0.999', '--seed', '5');
    expect(exitCode).toBe(3);
    expect(shown.error).toMatch(/precision is 0\.\d+, 0\.\d+ below 0\.9990/);
    expect([await pointer(), await registry()]).toEqual(before);
    expect(await scrapePart(cli, 'release-worker')).toEqual(
      expect.arrayContaining([
        sample('sluice_gates_total', { model: MODEL, gate: 'precision', outcome: 'failed' }),
        sample('sluice_runs_ended_total', { workflowType: 'releaseModel', model: MODEL, status: 'Failed' }),
      ]),
    );
  });

  it('the releases below train a smaller model on fewer rows: they are about the way to the scorer, not about the model', () =>
    trainLess(join(stack.directory, 'models', MODEL)));

  it.each([
    ['release-worker', 11, ['snapshot', 'train', 'register', 'export', 'reload']],
    ['training-worker', 12, ['train', 'train', 'evaluate', 'evaluate', 'export']],
    ['scorer-0', 13, ['snapshot', 'export', 'pointer swap', 'reload', 'smoke']],
  ])('invariant 5: kill -9 of %s at five moments; the release ends live, nothing twice', async (part, seed, steps) => {
    const before = { registry: await registry(), generation: (await pointer()).generation };
    const id = `killed-${part}`;
    const ending = release(id, '--seed', String(seed));
    await vi.waitUntil(() => findRun(session, RELEASE, { model: MODEL, releaseId: id }).catch(() => null), {
      timeout: 60_000,
    });
    for (const step of steps) {
      await untilStep(id, step);
      await stack.kill(part);
    }
    const { exitCode, shown } = await ending;
    expect(shown.error).toBeNull();
    expect(exitCode).toBe(0);
    expect(shown.status).toBe('Released');
    await vi.waitUntil(async () => (await pointer().catch(() => null))?.version === shown.bundleVersion, {
      timeout: 60_000,
    });
    expect((await pointer()).generation).toBe(before.generation + 1);
    expect(await registry()).toHaveLength(before.registry.length + 1);
  });

  it('two at once: each swap has one winner, the other re-bases or is superseded', async () => {
    const before = (await pointer()).generation;
    const ends = await Promise.all([release('left', '--seed', '21'), release('right', '--seed', '22')]);
    const released = ends.filter(({ shown }) => shown.status === 'Released');
    for (const { shown } of ends) expect(['Released', 'Superseded']).toContain(shown.status);
    expect(released.length).toBeGreaterThan(0);
    expect((await pointer()).generation).toBe(before + released.length);
  });

  it('rolls back to the last good bundle, and the registry follows', async () => {
    const before = await pointer();
    const { exitCode, json } = await cli.run('--json', 'rollback', '--reason', 'a drill');
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ from: before.version });
    expect(await pointer()).toEqual({ version: json['version'], generation: before.generation + 1 });
    expect((await registry()).filter(({ stage }) => stage === 'Production')).toHaveLength(1);
  });

  it('invariants 2 and 5: the audit chain is whole, one entry per generation', async () => {
    const entries = await createAuditLog(stack.mongo.db).entries();
    expect(verifyAuditChain(entries)).toMatchObject({ intact: true });
    expect(entries.map(({ generation }) => generation)).toEqual(entries.map((_, index) => index + 1));
    expect(entries).toHaveLength((await pointer()).generation);
  });
});
