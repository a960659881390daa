import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAuditLog } from '../../stores/audit-log.js';
import { REFRESH } from '../../client/refresh/kind.js';
import { findRun } from '../../client/runs/access.js';
import type { Session } from '../../client/session.js';
import { verifyAuditChain } from '../../domain/audit/chain.js';
import { bundleExpectation } from '../../domain/bundle/layout.js';
import { bundleKey, bundlesPrefix } from '../../stores/keys.js';
import { loadBundle, type LoadedBundle } from '../../domain/bundle/load.js';
import { parseBundleVersion } from '../../domain/bundle/version.js';
import { compileFeatures } from '../../domain/features/compile.js';
import { refreshPrefix } from '../../stores/keys.js';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { loadTrustedKeys } from '../../platform/keys.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { CategoryStats, FxRates, MerchantFreqMap } from '../../schemas/types.js';
import { JOBS, type RefreshProgress } from '../../workflows/refresh/contract.js';
import type { Cli } from '../support/cli.js';
import { startDemoStack, type DemoStack } from '../support/demo-stack.js';
import { scoreRows } from '../support/score-rows.js';

// Nights on a whole stack with the demo's live model: what is refreshed, what it does to a score, a worker killed in every job, a source down.
const MODEL = 'ulb_gbdt';
const TRANSACTION = {
  transaction_id: 'fixed',
  customer_id: 'c1',
  booked_at: '2025-06-29T23:10:00Z',
  amount: 950,
  currency: 'EUR',
  operation_type: 'shopping_net',
  merchant_name: 'Kilback LLC',
};

let stack: DemoStack;
let directory: string;
let stateDir: string;
let cli: Cli;
let env: Record<string, string>;
let session: Session;
let mongo: Mongo;
let store: ObjectStore;

beforeAll(async () => {
  stack = await startDemoStack();
  ({ directory, stateDir, cli, env, session, mongo, store } = stack);
});
afterAll(() => stack?.stop());

type Shown = RefreshProgress & { error: string | null };
async function night(asOf: string): Promise<{ exitCode: number; shown: Shown }> {
  const { exitCode, json, stderr } = await cli.run('--json', 'refresh', 'run', '--as-of', asOf);
  expect(stderr).toBe('');
  return { exitCode, shown: json as unknown as Shown };
}
const artifact = ({ jobs }: RefreshProgress, lookup: string) =>
  jobs.flatMap(({ artifacts }) => artifacts).find((one) => one.lookup === lookup);

interface Metadata {
  bundle_version: string;
  manifest_sha256: string;
  generation: number;
  lookups: Record<string, { as_of: string; sha256: string }>;
  fx: { fixing_date: string; age_days: number };
}
const metadata = async () => (await (await fetch(`${env['SCORER_URL']}/v1/metadata`)).json()) as Metadata;

interface Scored {
  results: { score: number; calibrated_probability: number; anomaly_score: number }[];
  versions: { bundle_version: string; generation: number };
}
async function score(): Promise<Scored> {
  const answer = await fetch(`${env['SCORER_URL']}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(TRANSACTION),
  });
  return (await answer.json()) as Scored;
}

async function liveBundle(): Promise<LoadedBundle> {
  const { bundle_version: version, manifest_sha256: manifestSha256 } = await metadata();
  const { spec } = await loadModel(projectPath('models'), MODEL);
  return loadBundle(async (name) => (await store.get(bundleKey(MODEL, version, name)))?.bytes as Buffer, {
    model: MODEL,
    version,
    manifestSha256,
    trustedKeys: await loadTrustedKeys(stack.settings.SLUICE_TRUSTED_KEYS_FILE),
    expected: bundleExpectation(spec),
    validate: validateBundleDocument,
  });
}

/** What a bundle answers, computed here: its features through its own lookups, its models in this process. */
async function expectedScore(bundle: LoadedBundle) {
  const features = [...compileFeatures(bundle.featureRegistry, bundle.lookups).compute(TRANSACTION).values];
  const folder = await mkdtemp(join(directory, 'models-'));
  for (const name of ['pipeline.onnx', 'if_pipe.onnx', 'isotonic.json'])
    await writeFile(join(folder, name), bundle.files.get(name) as Buffer);
  const { scores, calibrated, anomaly } = await scoreRows(folder, [features], new AbortController().signal);
  return { features, answer: [scores[0], calibrated[0], anomaly[0]] as number[] };
}
const answered = ({ results: [one] }: Scored) => [one?.score, one?.calibrated_probability, one?.anomaly_score];
const close = (values: number[]) => values.map((value) => expect.closeTo(value, 5) as unknown);

/** The ECB's own figures of a day, from the CSV as it was published: what one unit of each currency is worth in dollars. */
async function ecb(day: string): Promise<Record<string, number>> {
  const [head = '', ...lines] = (await readFile(projectPath('data', 'ecb_fixings.csv'), 'utf8')).trim().split('\n');
  const cells = lines.find((line) => line.startsWith(day))?.split(',') ?? [];
  const perEuro = new Map(
    head.split(',').flatMap((name, i) => (i > 0 && Number(cells[i]) > 0 ? [[name, Number(cells[i])] as const] : [])),
  );
  const dollars = perEuro.get('USD') as number;
  return { EUR: dollars, ...Object.fromEntries([...perEuro].map(([name, rate]) => [name, dollars / rate])) };
}

/** The activities that a night has scheduled so far. */
async function activitiesOf(key: string): Promise<string[]> {
  const found = await findRun(session, REFRESH, { model: MODEL, key, job: null }).catch(() => null);
  const events = (await found?.handle.fetchHistory())?.events ?? [];
  return events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

const bundles = async () =>
  new Set(
    (await store.list(bundlesPrefix(MODEL)))
      .map(({ key }) => key.split('/')[3] as string)
      .filter((name) => !name.endsWith('.json')),
  );

describe('nights on real servers', () => {
  it('a night remakes every lookup; the score of a transaction moves exactly as they say, and names its bundle', async () => {
    const before = { bundle: await liveBundle(), scored: await score() };
    const old = await expectedScore(before.bundle);
    expect(answered(before.scored)).toEqual(close(old.answer));

    const { exitCode, shown } = await night('2025-06-30');
    expect(shown).toMatchObject({ status: 'Refreshed', generation: 2, why: null });
    expect(exitCode).toBe(0);
    const bundle = await liveBundle();
    const scored = await score();
    expect([before.scored.versions, scored.versions]).toMatchObject([
      { bundle_version: before.bundle.version, generation: 1 },
      { bundle_version: shown.bundleVersion, generation: 2 },
    ]);
    const [was, is] = [before.bundle, bundle].map(({ version }) => parseBundleVersion(version));
    expect(is).toMatchObject({ major: was?.major, minor: was?.minor, patch: (was?.patch ?? 0) + 1 });
    expect(bundle.manifest).toMatchObject({
      parent_version: before.bundle.version,
      model_version: before.bundle.manifest.model_version,
      onnx_sha256: before.bundle.manifest.onnx_sha256,
      release_id: 'refresh-2025-06-30',
    });

    const now = await expectedScore(bundle);
    expect(now.features).not.toEqual(old.features);
    expect(answered(scored)).toEqual(close(now.answer));
    expect(Math.abs((now.answer[2] as number) - (old.answer[2] as number))).toBeGreaterThan(1e-5);

    const window = { booked_at: { $gte: new Date('2025-04-01T00:00:00Z'), $lt: new Date('2025-06-30T00:00:00Z') } };
    const rows = await mongo.db.collection('bank_transactions').countDocuments(window);
    const merchants = bundle.lookups['merchant_freq_map'] as MerchantFreqMap;
    const stats = bundle.lookups['category_stats'] as CategoryStats;
    expect([merchants.total, stats.overall.count]).toEqual([rows, rows]);
    for (const { lookup, outcome, asOf } of shown.jobs.flatMap(({ artifacts }) => artifacts))
      expect([lookup, outcome === 'unchanged' || bundle.lookupVersions[lookup]?.as_of === asOf]).toEqual([
        lookup,
        true,
      ]);
    const rates = bundle.lookups['fx_rates'] as FxRates;
    expect(rates.fixing_date).toBe('2025-06-30');
    const published = await ecb('2025-06-30');
    expect(Object.keys(rates.exchange_rates).sort()).toEqual(Object.keys(published).sort());
    for (const [currency, worth] of Object.entries(published))
      expect(rates.exchange_rates[currency], currency).toBeCloseTo(worth, 12);
  });

  it('the same night again changes nothing, and says so', async () => {
    const before = await metadata();
    const { exitCode, shown } = await night('2025-06-30');
    expect(shown).toMatchObject({ status: 'Unchanged', bundleVersion: null, why: 'nothing changed: no new bundle' });
    expect(exitCode).toBe(0);
    expect(await metadata()).toMatchObject({ generation: before.generation, bundle_version: before.bundle_version });
  });

  it('invariant 5: kill -9 of the data worker in the middle of all four jobs: the same artifacts, one version, one audit entry', async () => {
    const before = { generation: (await metadata()).generation, bundles: await bundles() };
    const audit = createAuditLog(mongo.db);
    const entries = (await audit.entries()).length;
    const [database, worker] = await Promise.all([stack.pidOf('mongo'), stack.pidOf('data-worker')]);
    const ending = night('2025-07-01');
    await vi.waitUntil(async () => (await activitiesOf('2025-07-01')).includes('loadModelSpec'), {
      timeout: 60_000,
      interval: 20,
    });
    // Once it is authorised, which is on record in the database. One that stands still keeps every job in its middle, however fast it would be.
    process.kill(database, 'SIGSTOP');
    try {
      for (const job of JOBS) {
        await vi.waitUntil(
          async () => {
            const found = await findRun(session, REFRESH, { model: MODEL, key: '2025-07-01', job }).catch(() => null);
            const pending = (await found?.handle.describe())?.raw.pendingActivities ?? [];
            return pending.some(
              ({ lastStartedTime }) => typeof lastStartedTime === 'object' && lastStartedTime !== null,
            );
          },
          { timeout: 60_000, interval: 100 },
        );
      }
      process.kill(worker, 'SIGKILL');
    } finally {
      process.kill(database, 'SIGCONT');
    }
    const { shown } = await ending;
    expect(shown).toMatchObject({ status: 'Refreshed', generation: before.generation + 1 });
    const added = [...(await bundles())].filter((name) => !before.bundles.has(name));
    expect(added).toEqual([shown.bundleVersion]);
    expect(await audit.entries()).toHaveLength(entries + 1);

    // Made once more from nothing, by a worker that nobody kills: the same.
    const folder = join(stateDir, 's3', env['S3_BUCKET'] ?? '');
    for (const job of JOBS) {
      const made = join(folder, refreshPrefix(MODEL, '2025-07-01', job));
      expect(existsSync(made), made).toBe(true);
      await rm(made, { recursive: true });
    }
    const again = (await night('2025-07-01')).shown;
    expect(again.status).toBe('Unchanged');
    const digests = ({ jobs }: RefreshProgress) =>
      jobs.map(({ artifacts }) => artifacts.map(({ file, sha256 }) => [file, sha256]));
    expect(digests(again)).toEqual(digests(shown));
  });

  it('a night with the FX source down: the rest is live, one alert is out, the age shows; the next night recovers', async () => {
    const before = await metadata();
    await writeFile(join(stateDir, 'fx-outage'), '');
    const { exitCode, shown } = await night('2025-07-02');
    expect(exitCode).toBe(3);
    expect(shown).toMatchObject({ status: 'Incomplete', generation: before.generation + 1 });
    expect(shown.jobs.map(({ job, state }) => [job, state])).toEqual(
      JOBS.map((job) => [job, job === 'fxRates' ? 'failed' : 'done']),
    );
    expect(artifact(shown, 'merchant_freq_map')?.outcome).toBe('live');
    const alerts = (await readFile(join(stateDir, 'alerts.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('refresh/ulb_gbdt/2025-07-02'));
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toContain('fxRates failed');
    expect(alerts[0]).toContain('sluice refresh run');

    const meanwhile = await metadata();
    expect(meanwhile.lookups['fx_rates']).toEqual(before.lookups['fx_rates']);
    expect(meanwhile.fx).toEqual({ ...before.fx, fixing_date: '2025-07-01' });
    expect(meanwhile.fx.age_days).toBe(Math.floor((Date.now() - Date.parse('2025-07-01T00:00:00Z')) / 86_400_000));

    await rm(join(stateDir, 'fx-outage'));
    const next = await night('2025-07-03');
    expect(next.shown).toMatchObject({ status: 'Refreshed', generation: before.generation + 2 });
    expect((await metadata()).fx.fixing_date).toBe('2025-07-03');
    expect(verifyAuditChain(await createAuditLog(mongo.db).entries())).toMatchObject({ intact: true });
  });

  it('what lies beyond its tolerance waits for a person while the rest is live; rejected from the command line, it stays out', async () => {
    const before = await metadata();
    // Two weeks after the newest fixing, and half of the window empty.
    const key = '2025-08-15';
    expect((await cli.run('--json', 'refresh', 'run', '--as-of', key, '--no-watch')).exitCode).toBe(0);
    const waiting = await vi.waitUntil(
      async () => {
        const { json } = await cli.run('--json', 'refresh', 'show', key);
        return json['approval'] === null ? null : (json as unknown as Shown);
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(waiting.status).toBe('WaitingForApproval');
    expect(artifact(waiting, 'fx_rates')).toMatchObject({ outcome: 'held' });
    expect((await cli.run('refresh', 'list')).stdout).toMatch(/WaitingForApproval +ulb_gbdt +2025-08-15 +night/);
    const { exitCode } = await cli.run('--json', 'refresh', 'reject', key, '--reason', 'the source stands still');
    expect(exitCode).toBe(0);
    const end = await vi.waitUntil(
      async () => {
        const shown = await cli.run('--json', 'refresh', 'show', key);
        return shown.exitCode === 4 ? (shown.json as unknown as Shown) : null;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(end.status).toBe('Rejected');
    expect(end.why).toContain('fx_rates');
    expect((await metadata()).lookups['fx_rates']).toEqual(before.lookups['fx_rates']);
  });
});
