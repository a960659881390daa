import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createScorerActivities } from '../../activities/rollout/scorers.js';
import { bundleKey } from '../../stores/keys.js';
import type { Receipt } from '../../domain/release/types.js';
import { loadSigner, loadTrustedKeys } from '../../platform/keys.js';
import { createObjectStore, type ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { ApiError, Health, Metadata, Reloaded, ScoreResponse } from '../../scoring/serving/api-schemas.js';
import { replicaQueue } from '../../workflows/common/queues.js';
import { ensureBuilt } from '../support/build.js';
import type { orderReload } from '../support/reload-workflow.js';
import { startScorerProcess, type ScorerProcess } from '../support/scorer-process.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { connectTemporal } from '../support/temporal.js';
import {
  makeTinyBundle,
  pointTo,
  publishTinyBundle,
  TINY_MODEL,
  tinyTransaction,
  writeTinyModel,
  type TinyBundle,
  type TinyOptions,
} from '../support/tiny-bundle.js';

// The scorer as its own process, from the build, against real MongoDB, S3 and Temporal, whose lines can be cut.
let servers: SharedServers;
let store: ObjectStore;
let mongo: MongoClient;
let signer: Awaited<ReturnType<typeof loadSigner>>;
let modelsDir = '';
let lines: Record<'mongo' | 's3' | 'temporal', TcpProxy>;
let temporal: { client: Client; close: () => Promise<void> };
let bundles: { a: TinyBundle; b: TinyBundle };
let scores: Map<string, number>;
const running: { process: ScorerProcess; stateDir: string }[] = [];
const ADMIN = 'integration-admin-token';
let generation = 0;
let patch = 100;

const port = (address: string): number => Number(/:(\d+)/.exec(address.replace(/^\w+:\/\//, ''))?.[1]);

beforeAll(async () => {
  [servers] = await Promise.all([useServers(['mongo', 's3', 'temporal']), ensureBuilt()]);
  const { env } = servers;
  store = createObjectStore({
    endpoint: env['S3_ENDPOINT'] ?? '',
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'sluice',
    accessKeyId: env['S3_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['S3_SECRET_ACCESS_KEY'] ?? '',
  });
  await store.ensureBucket();
  mongo = await new MongoClient(env['MONGODB_URI'] ?? '').connect();
  signer = await loadSigner(env['SLUICE_SIGNING_KEY_FILE'] ?? '');
  modelsDir = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  writeTinyModel(modelsDir);
  const through = (address: string | undefined) => startTcpProxy({ host: '127.0.0.1', port: port(address ?? '') });
  lines = {
    mongo: await through(env['MONGODB_URI']),
    s3: await through(env['S3_ENDPOINT']),
    temporal: await through(env['TEMPORAL_ADDRESS']),
  };

  const connected = await connectTemporal(env);
  const worker = await connected.createWorker({
    taskQueue: 'orders',
    workflowsPath: projectPath('test', 'support', 'reload-workflow.ts'),
  });
  const working = worker.run();
  temporal = {
    client: connected.client,
    close: async () => {
      worker.shutdown();
      await working;
      await connected.close();
    },
  };

  bundles = { a: await newBundle({ model: 'a' }), b: await newBundle({ model: 'b' }) };
  scores = new Map();
});

afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async ({ process, stateDir }) => {
      process.signal('SIGKILL');
      await process.exited;
      await rm(stateDir, { recursive: true, force: true });
    }),
  );
});

afterAll(async () => {
  await temporal?.close();
  await mongo?.close();
  store?.close();
  await Promise.all(Object.values(lines ?? {}).map((line) => line.cut()));
  if (modelsDir !== '') await rm(modelsDir, { recursive: true, force: true });
});

async function newBundle(options: Partial<TinyOptions> = {}): Promise<TinyBundle> {
  patch += 1;
  const bundle = await makeTinyBundle({ signer, patch, ...options });
  await publishTinyBundle(store, bundle);
  return bundle;
}

/** The next generation of production names this bundle. */
async function swapTo(bundle: TinyBundle): Promise<number> {
  generation += 1;
  await pointTo(store, signer, bundle, generation);
  return generation;
}

interface Started {
  scorer: ScorerProcess;
  id: string;
  stateDir: string;
  env: Record<string, string>;
}

/** A scorer behind lines that can be cut; polling is slow, so that what happens is what was ordered. */
async function start(overrides: Record<string, string> = {}, reuse?: Started): Promise<Started> {
  const stateDir = reuse?.stateDir ?? (await mkdtemp(join(tmpdir(), 'sluice-scorer-')));
  const id =
    overrides['SCORER_REPLICA_ID'] ??
    reuse?.id ??
    `r-${running.length}-${patch}-${generation}-${Math.round(Math.random() * 1e9)}`;
  const env = {
    SCORER_MODEL: TINY_MODEL,
    SLUICE_MODELS_DIR: modelsDir,
    SCORER_REPLICA_ID: id,
    SCORER_POLL_MS: '600000',
    SCORER_LEASE_MS: '1500',
    SCORER_RENEW_MS: '300',
    SLUICE_STATE_DIR: stateDir,
    SLUICE_TRUSTED_KEYS_FILE: servers.env['SLUICE_TRUSTED_KEYS_FILE'] ?? '',
    SLUICE_ADMIN_TOKEN: ADMIN,
    TEMPORAL_ADDRESS: `127.0.0.1:${lines.temporal.port}`,
    TEMPORAL_NAMESPACE: servers.env['TEMPORAL_NAMESPACE'] ?? '',
    MONGODB_URI: `mongodb://127.0.0.1:${lines.mongo.port}/?directConnection=true`,
    MONGODB_DATABASE: servers.env['MONGODB_DATABASE'] ?? '',
    S3_ENDPOINT: `http://127.0.0.1:${lines.s3.port}`,
    S3_BUCKET: servers.env['S3_BUCKET'] ?? 'sluice',
    S3_ACCESS_KEY_ID: servers.env['S3_ACCESS_KEY_ID'] ?? '',
    S3_SECRET_ACCESS_KEY: servers.env['S3_SECRET_ACCESS_KEY'] ?? '',
    LOG_LEVEL: 'info',
    ...overrides,
  };
  const scorer = await startScorerProcess(env);
  running.push({ process: scorer, stateDir });
  return { scorer, id, stateDir, env };
}

async function get<T>(scorer: ScorerProcess, path: string): Promise<{ status: number; body: T }> {
  const response = await fetch(scorer.address + path);
  return { status: response.status, body: (await response.json()) as T };
}
const health = (scorer: ScorerProcess) => get<Health>(scorer, '/v1/health');
const isReady = (scorer: ScorerProcess) =>
  vi.waitFor(async () => expect(await health(scorer)).toMatchObject({ status: 200 }), {
    timeout: 20_000,
    interval: 50,
  });
async function score(scorer: ScorerProcess, body: unknown = tinyTransaction): Promise<ScoreResponse> {
  const response = await fetch(`${scorer.address}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as ScoreResponse;
}
/** On a connection of its own. */
async function scoreOnce(scorer: ScorerProcess): Promise<ScoreResponse> {
  const response = await fetch(`${scorer.address}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(tinyTransaction),
    signal: AbortSignal.timeout(10_000),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as ScoreResponse;
}
/** A plain connection that has sent this, and sends nothing more. */
async function connection(scorer: ScorerProcess, sends: string) {
  const socket = connect({ host: '127.0.0.1', port: port(scorer.address) });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(sends);
  return { closed, received: () => received };
}
async function childrenOf(pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean).map(Number);
}
async function adminReload<T>(scorer: ScorerProcess): Promise<{ status: number; body: T }> {
  const response = await fetch(`${scorer.address}/v1/reload-artifacts`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}` },
  });
  return { status: response.status, body: (await response.json()) as T };
}
async function order(id: string, bundle: TinyBundle, at: number): Promise<Receipt> {
  return temporal.client.workflow.execute<typeof orderReload>('orderReload', {
    taskQueue: 'orders',
    workflowId: `order-${id}-${at}-${Math.random()}`,
    args: [
      replicaQueue(id),
      {
        model: TINY_MODEL,
        environment: 'production',
        version: bundle.version,
        manifestSha256: bundle.manifestSha256,
        generation: at,
      },
    ],
  });
}
/** The refusal's type and message, wherever the workflow wrapped it. */
async function refusal(call: Promise<unknown>): Promise<{ type: string; message: string }> {
  try {
    await call;
  } catch (error) {
    for (let cause = error as Error & { type?: string }; cause instanceof Error; cause = cause.cause as typeof cause) {
      if (cause.type !== undefined) return { type: cause.type, message: cause.message };
    }
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a scorer that follows the pointer', () => {
  it('joins before anything is published, loads on an order, answers it twice alike, and refuses to go back', async () => {
    const { scorer, id } = await start({ SCORER_ENVIRONMENT: 'production' });
    const first = await health(scorer);
    expect(first).toMatchObject({
      status: 503,
      body: { reasons: expect.arrayContaining(['no bundle yet']) as string[] },
    });
    expect(
      (
        await fetch(`${scorer.address}/v1/score`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        })
      ).status,
    ).toBe(503);

    const activities = createScorerActivities({
      db: mongo.db(servers.env['MONGODB_DATABASE']),
      store,
      trustedKeys: await loadTrustedKeys(servers.env['SLUICE_TRUSTED_KEYS_FILE'] ?? ''),
    });
    const replica = await vi.waitFor(async () => {
      const found = (await activities.liveReplicas({ model: TINY_MODEL, environment: 'production' })).find(
        ({ replicaId }) => replicaId === id,
      );
      expect(found).toEqual({
        replicaId: id,
        address: scorer.address,
        environment: 'production',
        generation: 0,
        manifestSha256: null,
      });
      return found!;
    });

    const at = await swapTo(bundles.a);
    const receipt = await order(id, bundles.a, at);
    expect(receipt).toMatchObject({
      replicaId: id,
      version: bundles.a.version,
      manifestSha256: bundles.a.manifestSha256,
      generation: at,
    });
    expect(await order(id, bundles.a, at)).toEqual(receipt);
    await isReady(scorer);
    const smoke = {
      model: TINY_MODEL,
      replica,
      bundle: { version: bundles.a.version, manifestSha256: bundles.a.manifestSha256 },
      generation: at,
    };
    const smoked = await activities.smoke(smoke);
    expect(smoked.vectors).toBe(8);
    expect(smoked.largestDifference).toBeLessThan(1e-5);

    expect(await refusal(order(id, bundles.b, at))).toMatchObject({ type: 'IntegrityError' });
    expect(await refusal(order(id, bundles.b, at + 1))).toMatchObject({ type: 'ReloadFailed' });
    const next = await swapTo(bundles.b);
    await order(id, bundles.b, next);
    expect(await refusal(order(id, bundles.a, at))).toMatchObject({ type: 'Superseded' });
    await vi.waitFor(async () => {
      expect(await activities.liveReplicas({ model: TINY_MODEL, environment: 'production' })).toContainEqual(
        expect.objectContaining({ replicaId: id, generation: next }),
      );
    });

    // the smoke sees that another bundle answers, and a bundle whose vectors say something else
    expect(await refusal(activities.smoke(smoke))).toMatchObject({
      type: 'SmokeFailed',
      message: expect.stringContaining('bundle_version') as string,
    });
  });

  it('reloads under load without one failed request, each answer from exactly one bundle', async () => {
    await swapTo(bundles.a);
    const { scorer, id } = await start();
    await isReady(scorer);
    const list = [40, 90, 250, 700].map((amount) => ({ ...tinyTransaction, amount }));
    const key = (response: ScoreResponse) =>
      JSON.stringify(response.results.map(({ score: raw, calibrated_probability }) => [raw, calibrated_probability]));
    scores.clear();
    const expected = new Map<string, string>();
    for (const bundle of [bundles.b, bundles.a]) {
      await order(id, bundle, await swapTo(bundle));
      const response = await score(scorer, list);
      expected.set(response.versions.bundle_version, key(response));
    }
    expect(new Set(expected.values()).size).toBe(2);

    let stop = false;
    let answered = 0;
    const client = async (): Promise<void> => {
      let newest = 0;
      while (!stop) {
        const response = await score(scorer, list);
        expect(key(response)).toBe(expected.get(response.versions.bundle_version));
        expect(response.versions.generation).toBeGreaterThanOrEqual(newest);
        newest = response.versions.generation ?? 0;
        answered += 1;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let swap = 0; swap < 12; swap += 1) {
      const bundle = swap % 2 === 0 ? bundles.b : bundles.a;
      await order(id, bundle, await swapTo(bundle));
    }
    stop = true;
    await Promise.all(clients);
    expect(answered).toBeGreaterThan(500);
  });

  it('refuses what is not whole, signed, newer and equal to training, and keeps serving', async () => {
    const good = await swapTo(bundles.a);
    const { scorer } = await start();
    await isReady(scorer);
    const stillGood = async (why: RegExp) => {
      const reload = await adminReload<ApiError>(scorer);
      expect(reload.status).toBe(409);
      expect(reload.body.error.message).toMatch(why);
      const { status, body } = await health(scorer);
      expect(status).toBe(200);
      expect(body.notices.join()).toMatch(why);
      expect((await score(scorer)).versions).toMatchObject({ generation: good, bundle_version: bundles.a.version });
    };

    const tampered = await newBundle({ model: 'b' });
    const scratch = join(modelsDir, 'tampered');
    await writeFile(
      scratch,
      bundles.a.files.get('pipeline.onnx')!.map((byte, at) => (at === 4000 ? byte ^ 1 : byte)),
    );
    await store.putFile(bundleKey(TINY_MODEL, tampered.version, 'pipeline.onnx'), scratch);
    await swapTo(tampered);
    await stillGood(/pipeline\.onnx has digest/);

    await swapTo(await newBundle({ model: 'b', goldenError: 1e-3 }));
    await stillGood(/golden_vectors\.json: \/features\/0 gives score/);

    await swapTo(await newBundle({ replace: { 'pipeline.onnx': Buffer.from('not a model') } }));
    await stillGood(/cannot be opened/);

    await pointTo(store, signer, bundles.b, good - 1);
    await stillGood(/older than/);
    await pointTo(store, signer, bundles.b, good);
    await stillGood(/two bundles claim generation/);
    await pointTo(store, { ...signer, keyid: 'someone-else' }, bundles.b, good + 50);
    await stillGood(/not among the .* trusted keys/);

    const next = await swapTo(bundles.b);
    expect(await adminReload<Reloaded>(scorer)).toMatchObject({
      status: 200,
      body: { outcome: 'loaded', generation: next },
    });
    expect(await adminReload<Reloaded>(scorer)).toMatchObject({
      status: 200,
      body: { outcome: 'current', generation: next },
    });
    expect((await health(scorer)).body.notices).toEqual([]);
  });

  it('is killed, and serves what it had with Temporal, MongoDB and S3 down; catches up when they are back', async () => {
    const servedAtMs = Date.now();
    const at = await swapTo(bundles.a);
    const before = await start();
    await isReady(before.scorer);
    const answer = (await score(before.scorer)).results;
    const killedAtMs = Date.now();
    before.scorer.signal('SIGKILL');
    await before.scorer.exited;
    await Promise.all(Object.values(lines).map((line) => line.cut()));
    try {
      const { scorer } = await start({}, before);
      await isReady(scorer);
      expect((await score(scorer)).results).toEqual(answer);
      const { body } = await health(scorer);
      expect(body.generation).toBe(at);
      await vi.waitFor(
        async () =>
          expect((await health(scorer)).body.notices.join()).toMatch(
            /registry cannot be reached.*pointer could not be followed.*Temporal cannot be reached/s,
          ),
        { timeout: 20_000 },
      );
      const stale = (await get<Metadata>(scorer, '/v1/metadata')).body;
      expect(stale.from).toBe('cache');
      expect(Date.parse(stale.stale_since ?? '')).toBeGreaterThanOrEqual(servedAtMs);
      expect(Date.parse(stale.stale_since ?? '')).toBeLessThanOrEqual(killedAtMs);
      expect((await health(scorer)).body.notices.join()).toContain(`stale: what is served is what the pointer named at ${stale.stale_since}`); // prettier-ignore

      const next = await swapTo(bundles.b);
      await Promise.all(Object.values(lines).map((line) => line.restore()));
      await vi.waitFor(
        async () =>
          expect((await health(scorer)).body).toMatchObject({ status: 'ready', generation: next, notices: [] }),
        { timeout: 60_000, interval: 100 },
      );
      expect((await get<Metadata>(scorer, '/v1/metadata')).body).toMatchObject({ from: 'store', stale_since: null });
      const kept = (await readdir(join(before.stateDir, 'scorer-cache', before.id))).filter((name) =>
        name.startsWith('generation-'),
      );
      expect(kept).toHaveLength(1);
      expect(kept[0]).toContain(`generation-${next}-`);
    } finally {
      await Promise.all(Object.values(lines).map((line) => line.restore()));
    }
  });

  it('a cache that was tampered with is not served', async () => {
    await swapTo(bundles.a);
    const before = await start();
    await isReady(before.scorer);
    before.scorer.signal('SIGKILL');
    await before.scorer.exited;
    const file = join(before.stateDir, 'scorer-cache', before.id, 'current', 'bundle', 'per_category_thresholds.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('0.5', '0.6'));
    await lines.s3.cut();
    try {
      const { scorer } = await start({}, before);
      expect((await health(scorer)).body.reasons).toContain('no bundle yet');
      expect(scorer.output()).toMatch(/per_category_thresholds\.json has digest/);
    } finally {
      await lines.s3.restore();
    }
  });

  it('whose lease ran out is not ready until it has caught up with the pointer', async () => {
    const at = await swapTo(bundles.a);
    const { scorer } = await start();
    await isReady(scorer);
    await lines.mongo.cut();
    try {
      await vi.waitFor(
        async () => expect((await health(scorer)).body.notices.join()).toMatch(/registry cannot be reached/),
        { timeout: 20_000 },
      );
      await delay(1_600); // the lease: nothing can be waited for, the registry is out of reach by design
      expect(await health(scorer)).toMatchObject({ status: 200, body: { generation: at } });
      await lines.s3.cut();
      const next = await swapTo(bundles.b);
      await lines.mongo.restore();
      await vi.waitFor(
        async () =>
          expect(await health(scorer)).toMatchObject({
            status: 503,
            body: { reasons: ['catching up with the pointer'] },
          }),
        { timeout: 20_000, interval: 20 },
      );
      expect((await score(scorer)).versions.generation).toBe(at);
      await lines.s3.restore();
      await vi.waitFor(
        async () => expect(await health(scorer)).toMatchObject({ status: 200, body: { generation: next } }),
        { timeout: 60_000, interval: 50 },
      );
    } finally {
      await Promise.all([lines.mongo, lines.s3].map((line) => line.restore()));
    }
  });

  it('two processes with one id: the older one steps aside and says so', async () => {
    await swapTo(bundles.a);
    const one = await start();
    await isReady(one.scorer);
    const two = await start({ SCORER_REPLICA_ID: one.id });
    await isReady(two.scorer);
    await vi.waitFor(
      async () => expect((await health(one.scorer)).body.reasons.join()).toMatch(/same SCORER_REPLICA_ID/),
      { timeout: 10_000 },
    );
  });

  it('a staging scorer follows staging.json alone', async () => {
    const at = await swapTo(bundles.a);
    await pointTo(store, signer, bundles.b, 1, 'staging');
    const [production, staging] = await Promise.all([start(), start({ SCORER_ENVIRONMENT: 'staging' })]);
    await Promise.all([isReady(production.scorer), isReady(staging.scorer)]);
    expect((await score(production.scorer)).versions).toMatchObject({
      generation: at,
      bundle_version: bundles.a.version,
    });
    expect((await score(staging.scorer)).versions).toMatchObject({ generation: 1, bundle_version: bundles.b.version });
  });

  it.each(['1', '2'])(
    'shuts down under load (%s serving): all is answered, closed, written down, and it has left the registry',
    async (SCORER_PROCESSES) => {
      await swapTo(bundles.a);
      const { scorer, id } = await start({ SCORER_LEASE_MS: '60000', SCORER_PROCESSES });
      await isReady(scorer);
      let answered = 0;
      const client = async (): Promise<void> => {
        for (;;) {
          const response = await fetch(`${scorer.address}/v1/score`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(tinyTransaction),
          });
          expect(response.status).toBe(200);
          await response.json();
          answered += 1;
          // what a load balancer does: after this it goes elsewhere
          if (response.headers.get('connection') === 'close') return;
        }
      };
      const clients = Array.from({ length: 8 }, client);
      await vi.waitFor(() => expect(answered).toBeGreaterThan(200), { timeout: 20_000 });
      // One that sends nothing any more, and one that never finishes what it sends.
      const headers = 'host: scorer\r\ncontent-type: application/json';
      const idle = await connection(scorer, `GET /v1/live HTTP/1.1\r\n${headers}\r\n\r\n`);
      await vi.waitFor(() => expect(idle.received()).toMatch(/"live"/));
      const late = await connection(scorer, `POST /v1/score HTTP/1.1\r\n${headers}\r\ncontent-length: 99\r\n\r\n{`);
      const askedAtMs = Date.now();
      scorer.signal('SIGTERM');
      await Promise.all(clients);
      expect(await scorer.exited).toBe(0);
      expect(Date.now() - askedAtMs).toBeLessThan(10_000);
      await Promise.all([idle.closed, late.closed]);
      const db = mongo.db(servers.env['MONGODB_DATABASE']);
      expect(await db.collection('prediction_log').countDocuments({ replica: id })).toBe(answered);
      expect(await db.collection<{ _id: string }>('scoring_replicas').countDocuments({ _id: id })).toBe(0);
    },
  );
});

describe('a scorer with two serving processes', () => {
  it('reloads under load while one of them is killed: one receipt, one generation, no request lost but its own', async () => {
    await swapTo(bundles.a);
    const { scorer, id } = await start({ SCORER_PROCESSES: '2' });
    await isReady(scorer);
    let stop = false;
    let answered = 0;
    let broken = 0;
    const client = async (): Promise<void> => {
      let newest = 0;
      while (!stop) {
        // Each on a connection of its own, so that a broken one is one that the killed process had accepted.
        const response = await scoreOnce(scorer).catch(() => null);
        if (response === null) {
          broken += 1;
          continue;
        }
        // Processes switch one after the other: two answers may be from either side of a switch, never from a third.
        expect(response.versions.generation).toBeGreaterThanOrEqual(newest - 1);
        newest = Math.max(newest, response.versions.generation ?? 0);
        answered += 1;
      }
    };
    const clients = Array.from({ length: 4 }, client);
    await vi.waitFor(() => expect(answered).toBeGreaterThan(50), { timeout: 20_000 });
    const [first] = await childrenOf(scorer.pid);
    const at = await swapTo(bundles.b);
    const receipt = order(id, bundles.b, at);
    process.kill(first as number, 'SIGKILL');
    expect(await receipt).toMatchObject({ replicaId: id, generation: at, version: bundles.b.version });
    for (let asked = 0; asked < 20; asked += 1) expect((await score(scorer)).versions.generation).toBe(at);
    await vi.waitFor(async () => expect(await childrenOf(scorer.pid)).toHaveLength(2), { timeout: 20_000 });
    await vi.waitFor(async () => expect((await health(scorer)).body.notices).toEqual([]), { timeout: 20_000 });
    for (let asked = 0; asked < 20; asked += 1) expect((await score(scorer)).versions.generation).toBe(at);
    stop = true;
    await Promise.all(clients);
    // At most what its four clients had under way there.
    expect(broken).toBeLessThanOrEqual(4);
    expect(await adminReload<Reloaded>(scorer)).toMatchObject({ body: { outcome: 'current', generation: at } });

    const processes = await childrenOf(scorer.pid);
    scorer.signal('SIGTERM');
    expect(await scorer.exited).toBe(0);
    for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow();
  });
});
