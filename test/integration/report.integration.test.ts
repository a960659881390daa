import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReleaseReport } from '../../activities/report/contract.js';
import { createReportActivities } from '../../activities/report/report.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

let stack: SharedServers;
let store: ObjectStore;
let root: string;
let directory: string;
beforeAll(async () => {
  stack = await useServers(['s3']);
  store = await testStore(stack.env);
});
afterAll(() => store?.close());
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-report-'));
  directory = join(root, 'deep', 'reports');
  return () => rm(root, { recursive: true, force: true });
});

const report = (changes: Partial<ReleaseReport> = {}): ReleaseReport => ({
  model: 'ulb_gbdt',
  releaseId: 'r1',
  status: 'Released',
  runId: 'run',
  modelVersion: '1',
  bundleVersion: '20250630-120000-1.0.0-0a1b2c3',
  generation: 1,
  stage: 'Production',
  metrics: { auc_pr: 0.79 },
  gates: [],
  dataSnapshotId: 's1',
  snapshotPrefix: null,
  actor: 'ada',
  reason: 'weekly',
  finishedAt: '2025-06-30T12:00:00.000Z',
  ...changes,
});
const write = (one: ReleaseReport, at = directory) => createReportActivities({ store, directory: at }).writeReport(one);
const text = (name: string) => readFile(join(directory, name), 'utf8');

describe('reports', () => {
  it('lie in the place the user set, the data reports beside them', async () => {
    const prefix = `fraud/snapshots/m/${randomUUID()}/`;
    for (const name of ['ingestion_summary', 'data_lineage', 'data_freshness'])
      await store.putIfAbsent(`${prefix}${name}.json`, Buffer.from(`{"is":"${name}"}`), 'application/json');
    const { files, directory: where } = await write(report({ snapshotPrefix: prefix }));
    expect(where).toBe(directory);
    expect(files.map((file) => file.slice(directory.length + 1)).sort()).toEqual((await readdir(directory)).sort());
    expect(JSON.parse(await text('data_lineage.json'))).toEqual({ is: 'data_lineage' });
    expect(JSON.parse(await text('registry_promotion.json'))).toMatchObject({
      release_id: 'r1',
      stage: 'Production',
      metrics: { auc_pr: 0.79 },
    });
  });

  it('say the same after a retry', async () => {
    await write(report());
    const before = await Promise.all((await readdir(directory)).map(text));
    await write(report());
    expect(await Promise.all((await readdir(directory)).map(text))).toEqual(before);
  });

  it('lose no row when releases end together', async () => {
    const { writeReport } = createReportActivities({ store, directory });
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeReport(report({ releaseId: `r${i}` }))));
    for (const name of ['PROGRESS.md', 'fraud_model_progress.md'])
      expect((await text(name)).match(/^\| r\d+ \|/gm)).toHaveLength(20);
  });

  it('keep the newest promotion when an older release reports late', async () => {
    await write(report({ releaseId: 'new', finishedAt: '2025-07-01T00:00:00.000Z' }));
    await write(report({ releaseId: 'old' }));
    expect(JSON.parse(await text('registry_promotion.json'))).toMatchObject({ release_id: 'new' });
    expect(await text('PROGRESS.md')).toContain('| old |');
  });

  it('say what is in the way', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    await expect(write(report(), join(file, 'reports'))).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('SLUICE_REPORTS_DIR'),
    });
  });

  it.skipIf(process.getuid?.() === 0)('say when they may not write', async () => {
    await chmod(root, 0o500);
    await expect(write(report())).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('permissions'),
    });
    await chmod(root, 0o700);
  });
});
