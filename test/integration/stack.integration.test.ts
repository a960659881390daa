import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import axios from 'axios';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../platform/config.js';
import { loadSigner, loadTrustedKeys } from '../../platform/keys.js';
import { createObjectStore } from '../../platform/object-store.js';
import { startStack, type Stack, type StackOptions } from '../../stack/index.js';
import { prepare } from '../../stack/prepare/prepare.js';
import { statePaths } from '../../stack/state/paths.js';
import { readRecord } from '../../stack/state/record.js';
import { startTimeOf } from '../../stack/supervise/identity.mjs';
import { startTestStack, testEnv, type TestStack } from '../support/stack.js';

const directories: string[] = [];
const stacks: Stack[] = [];
async function newStateDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-stack-'));
  directories.push(directory);
  return join(directory, 'state');
}
async function start(stateDir: string, options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ stateDir, env: testEnv(), parts: ['mongo', 's3'], ...options });
  stacks.push(stack);
  return stack;
}
afterEach(async () => {
  for (const stack of stacks.splice(0)) await stack.stop();
});
afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

const pidOf = (stack: Stack, part: string): number | null =>
  stack.parts().find(({ name }) => name === part)?.pid ?? null;
async function withMongo<T>(stack: Stack, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(stack.env['MONGODB_URI'] ?? '');
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

describe('all servers', () => {
  let servers: TestStack;
  beforeAll(async () => {
    servers = await startTestStack(['temporal', 'mongo', 's3', 'mlflow']);
  });
  afterAll(() => servers?.stop());

  it('provide every setting that has no default', () => {
    expect(() => loadSettings(servers.env)).not.toThrow();
    expect(servers.env['TEMPORAL_UI_URL']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('Temporal has our search attributes, keeps what is closed for 90 days, and shows its UI', async () => {
    const connection = await Connection.connect({ address: servers.env['TEMPORAL_ADDRESS'] ?? '' });
    try {
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
      expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 3600);
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      const { INDEXED_VALUE_TYPE_KEYWORD: keyword, INDEXED_VALUE_TYPE_KEYWORD_LIST: keywords } =
        temporal.api.enums.v1.IndexedValueType;
      expect(customAttributes).toMatchObject({
        SluiceModel: keyword,
        SluiceRelease: keyword,
        SluiceStep: keyword,
        SluiceStatus: keyword,
        SluiceHolds: keywords,
      });
    } finally {
      await connection.close();
    }
    const { data } = await axios.get<string>(servers.env['TEMPORAL_UI_URL'] ?? '');
    expect(data).toContain('<html');
  });

  it('MongoDB takes transactions', async () => {
    await withMongo(servers.stack, async (client) => {
      const rows = client.db('test').collection('rows');
      await rows.insertOne({ n: 0 });
      const session = client.startSession();
      await session.withTransaction(async () => {
        await rows.insertOne({ n: 1 }, { session });
        await session.abortTransaction();
      });
      await session.endSession();
      expect(await rows.countDocuments()).toBe(1);
    });
  });

  it('MLflow keeps its artifacts in the bucket', async () => {
    const api = axios.create({ baseURL: servers.env['MLFLOW_TRACKING_URI'] ?? '' });
    const { data: run } = await api.post<{ run: { info: { run_id: string; artifact_uri: string } } }>(
      '/api/2.0/mlflow/runs/create',
      { experiment_id: '0' },
    );
    expect(run.run.info.artifact_uri).toMatch(/^mlflow-artifacts:\//);
    const path = run.run.info.artifact_uri.replace('mlflow-artifacts:/', '').replace(/^\//, '');
    await api.put(`/api/2.0/mlflow-artifacts/artifacts/${path}/note.txt`, 'kept in S3');
    const store = createObjectStore({
      endpoint: servers.env['S3_ENDPOINT'] ?? '',
      region: servers.env['S3_REGION'] ?? '',
      bucket: servers.env['S3_BUCKET'] ?? '',
      accessKeyId: servers.env['S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: servers.env['S3_SECRET_ACCESS_KEY'] ?? '',
    });
    const found = await store.get(`mlflow/${path}/note.txt`);
    expect(found?.bytes.toString()).toBe('kept in S3');
    store.close();
  });

  it('keeps what is secret for its owner, and a key pair that fits', async () => {
    const paths = statePaths(servers.stateDir);
    for (const file of [paths.secrets, paths.signingKey, paths.env, paths.principals])
      expect(statSync(file).mode & 0o077).toBe(0);
    expect(statSync(paths.root).mode & 0o077).toBe(0);
    const { keyid } = await loadSigner(paths.signingKey);
    expect([...(await loadTrustedKeys(paths.trustedKeys)).keys()]).toEqual([keyid]);
    const secret = servers.env['S3_SECRET_ACCESS_KEY'] ?? '';
    for (const log of readdirSync(paths.logs))
      expect(await readFile(join(paths.logs, log), 'utf8')).not.toContain(secret);
  });

  it("are made ready by `prepare` where they are not the stack's own: search attributes, bucket, keys, principals", async () => {
    const directory = await newStateDir();
    await mkdir(directory, { recursive: true });
    const connection = await Connection.connect({ address: servers.env['TEMPORAL_ADDRESS'] ?? '' });
    try {
      await connection.workflowService.registerNamespace({
        namespace: 'other',
        workflowExecutionRetentionPeriod: { seconds: (24 * 3600) as never },
      });
      const env = {
        ...testEnv(),
        ...servers.env,
        TEMPORAL_NAMESPACE: 'other',
        S3_BUCKET: 'other',
        SLUICE_SIGNING_KEY_FILE: join(directory, 'signing.pem'),
        SLUICE_TRUSTED_KEYS_FILE: join(directory, 'trusted.json'),
        SLUICE_PRINCIPALS_FILE: join(directory, 'principals.json'),
        SLUICE_ACTOR: 'ada',
      };
      const said: string[] = [];
      await prepare(loadSettings(env), env, 60_000, (message) => void said.push(message));
      await prepare(loadSettings(env), env, 60_000, () => {});
      expect(said.at(-1)).toBe('keys and principals are there');
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'other' });
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(['SluiceModel', 'SluiceStatus']));
      expect(JSON.parse(await readFile(env.SLUICE_PRINCIPALS_FILE, 'utf8'))).toEqual({
        principals: [{ name: 'ada', roles: ['requester', 'approver', 'operator'] }],
      });
      await expect(loadSigner(env.SLUICE_SIGNING_KEY_FILE)).resolves.toBeDefined();
    } finally {
      await connection.close();
    }
  });

  it('leave no process, no open port and no record when they stop', async () => {
    const record = readRecord(statePaths(servers.stateDir));
    const pids = servers.stack.parts().map(({ pid }) => pid as number);
    expect(record?.processes.map(({ pid }) => pid).sort()).toEqual([...pids].sort());
    const ports = servers.stack.parts().map(({ address }) => Number(/:(\d+)$/.exec(address)?.[1]));
    await servers.stack.stop();
    expect(pids.map(startTimeOf)).toEqual(pids.map(() => null));
    expect(await Promise.all(ports.map(listens))).toEqual(ports.map(() => false));
    expect(existsSync(statePaths(servers.stateDir).record)).toBe(false);
    expect(existsSync(statePaths(servers.stateDir).env)).toBe(false);
    expect(await servers.stack.ended).toEqual({ reason: 'stopped' });
  });
});

describe('a stack', () => {
  it('comes back at the same addresses with the same keys and data', async () => {
    const stateDir = await newStateDir();
    const first = await start(stateDir);
    await withMongo(first, (client) => client.db('test').collection('rows').insertOne({ kept: true }));
    await first.stop();
    const second = await start(stateDir);
    expect(second.env).toEqual(first.env);
    expect(
      await withMongo(second, (client) => client.db('test').collection('rows').countDocuments({ kept: true })),
    ).toBe(1);
  });

  it('starts mongod again at the same address when it is killed, with its data', async () => {
    const stack = await start(await newStateDir(), { parts: ['mongo'] });
    await withMongo(stack, (client) =>
      client
        .db('test')
        .collection('rows')
        .insertOne({ kept: true }, { writeConcern: { w: 'majority', journal: true } }),
    );
    const pid = pidOf(stack, 'mongo') as number;
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(() => stack.parts()[0]?.state === 'ready' && pidOf(stack, 'mongo') !== pid, { timeout: 60_000 });
    expect(stack.parts()[0]?.restarts).toBe(1);
    expect(
      await withMongo(stack, (client) => client.db('test').collection('rows').countDocuments({ kept: true })),
    ).toBe(1);
  });

  it('runs beside another one', async () => {
    const [one, two] = await Promise.all([start(await newStateDir()), start(await newStateDir())]);
    expect(one.env['MONGODB_URI']).not.toBe(two.env['MONGODB_URI']);
    await withMongo(one, (client) => client.db('test').collection('rows').insertOne({}));
    expect(await withMongo(two, (client) => client.db('test').collection('rows').countDocuments())).toBe(0);
    await one.stop();
    expect(await withMongo(two, (client) => client.db('admin').command({ ping: 1 }))).toMatchObject({ ok: 1 });
  });

  it('refuses a second one in the same state directory', async () => {
    const stateDir = await newStateDir();
    await start(stateDir, { parts: ['s3'] });
    await expect(start(stateDir, { parts: ['s3'] })).rejects.toThrow(/runs already \(process \d+\)/);
  });

  it('moves to another port when somebody took its own, replica set included', async () => {
    const stateDir = await newStateDir();
    const first = await start(stateDir);
    await withMongo(first, (client) => client.db('test').collection('rows').insertOne({ kept: true }));
    await first.stop();
    const port = Number(/:(\d+)\//.exec(first.env['MONGODB_URI'] ?? '')?.[1]);
    const stranger = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    try {
      const second = await start(stateDir);
      expect(second.env['MONGODB_URI']).not.toBe(first.env['MONGODB_URI']);
      expect(second.env['S3_ENDPOINT']).toBe(first.env['S3_ENDPOINT']);
      await withMongo(second, (client) => client.db('test').collection('rows').insertOne({ kept: true }));
      expect(
        await withMongo(second, (client) => client.db('test').collection('rows').countDocuments({ kept: true })),
      ).toBe(2);
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });

  it("uses the user's own servers, and names one that cannot be reached, with its address and without its password", async () => {
    const users = await start(await newStateDir());
    const env = {
      ...testEnv(),
      ...Object.fromEntries(Object.entries(users.env).filter(([name]) => /^(MONGODB|S3)_/.test(name))),
    };
    const stack = await start(await newStateDir(), { env });
    expect(stack.parts().map(({ name, external, pid }) => ({ name, external, pid }))).toEqual(
      expect.arrayContaining([
        { name: 'mongo', external: true, pid: null },
        { name: 's3', external: true, pid: null },
      ]),
    );
    expect(stack.env['MONGODB_URI']).toBe(users.env['MONGODB_URI']);

    const unreachable = start(await newStateDir(), {
      parts: ['mongo'],
      env: { ...testEnv(), MONGODB_URI: 'mongodb://me:hidden@127.0.0.1:1/?directConnection=true' },
    });
    await expect(unreachable).rejects.toThrow(
      /mongo at mongodb:\/\/127\.0\.0\.1:1\/.*from MONGODB_URI.*cannot be used/,
    );
    await expect(unreachable).rejects.not.toThrow(/hidden/);
    await expect(
      start(await newStateDir(), { parts: ['s3'], env: { ...testEnv(), S3_ENDPOINT: 'http://127.0.0.1:1' } }),
    ).rejects.toThrow(/S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are not/);
    await expect(
      start(await newStateDir(), { parts: ['temporal'], env: { ...testEnv(), TEMPORAL_ADDRESS: '127.0.0.1:1' } }),
    ).rejects.toThrow(/temporal at 127\.0\.0\.1:1/);
    await expect(
      start(await newStateDir(), {
        parts: ['mlflow'],
        env: { ...testEnv(), MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' },
      }),
    ).rejects.toThrow(/mlflow at http:\/\/127\.0\.0\.1:1/);
  });

  it('can be stopped while it starts', async () => {
    const abort = new AbortController();
    const stateDir = await newStateDir();
    const starting = start(stateDir, {
      signal: abort.signal,
      log: ({ phase }) => void (phase === 'starting' && abort.abort(new Error('stopped by SIGINT'))),
    });
    await expect(starting).rejects.toThrow('stopped by SIGINT');
    expect(readRecord(statePaths(stateDir))).toBeNull();
    const again = await start(stateDir);
    expect(again.parts().every(({ state }) => state === 'ready')).toBe(true);
  });
});
