import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalActivities } from '../../activities/approval/approval.js';
import { createLabelActivities } from '../../activities/labels/labels.js';
import { createExpertFileActivities } from '../../activities/lookups/expert-files.js';
import { createPinActivities } from '../../activities/retention/pins.js';
import { createApplySchedulesActivities } from '../../activities/runs/apply-schedules.js';
import type { Cli } from '../../client/cli.js';
import { createTransactionActivities } from '../../activities/transactions/transactions.js';
import { artifactsCommand } from '../../client/commands/artifacts.js';
import { dataCommand } from '../../client/commands/data.js';
import { labelsCommand } from '../../client/commands/labels.js';
import { schedulesCommand } from '../../client/commands/schedules.js';
import { synonymsCommand } from '../../client/commands/synonyms.js';
import { labelSender } from '../../client/labels/sender.js';
import { ownFailure } from '../../client/runs/operation.js';
import { openSession, type Session } from '../../client/session.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { loadSettings } from '../../platform/config.js';
import { modelReader } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { requireSearchAttributes } from '../../platform/search-attributes.js';
import { activityInterceptors } from '../../platform/temporal-worker.js';
import { applySchedules } from '../../schedules/apply.js';
import { REGISTRY } from '../../schedules/registry.js';
import { COLLECTIONS } from '../../stores/collections.js';
import { createDecisionLog } from '../../stores/decision-log.js';
import { publishedFile } from '../../stores/expert-files/publish.js';
import { bundleKey } from '../../stores/keys.js';
import { createPins } from '../../stores/retention/pins.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { BATCHES_PER_RUN, RECORD_UPDATE } from '../../workflows/importLabels/contract.js';
import { freeze } from '../support/freeze.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { connectTemporal, type TestTemporal } from '../support/temporal.js';
import { bundleWorkflows } from '../support/workflow-environment.js';

// What an operator asks of the stores goes through workflows: on real Temporal, MongoDB and S3, with the commands that start them.
const MODEL = 'ulb_gbdt';
const VERSION = '20250101-120000-1.0.1-0a1b2c3';
const FILE = 'operation_type_synonyms.json';
let servers: SharedServers;
let temporal: TestTemporal;
let mongo: Mongo;
let store: ObjectStore;
let session: Session;
let worker: Worker;
let running: Promise<void>;
let directory: string;
/** activities whose first answer is lost, as when a worker is killed after the deed */
const lost = new Set<string>();

beforeAll(async () => {
  servers = await useServers(['temporal', 'mongo', 's3']);
  directory = await mkdtemp(join(tmpdir(), 'sluice-operations-'));
  const principalsFile = join(directory, 'principals.json');
  await writeFile(
    principalsFile,
    JSON.stringify({
      principals: [
        { name: 'olga', roles: ['operator'] },
        { name: 'rudi', roles: ['requester'] },
      ],
    }),
  );
  temporal = await connectTemporal(servers.env);
  mongo = await testMongo(servers.env, servers.env['MONGODB_DATABASE'] as string);
  store = await testStore(servers.env);
  session = await openSession(settings());
  const models = modelReader(projectPath('models'));
  const { db } = mongo;
  const activities = {
    ...createApprovalActivities({ log: createDecisionLog(db), principalsFile }),
    ...createExpertFileActivities({ store, models }),
    ...createLabelActivities({ db, models }),
    ...createTransactionActivities({ db, models }),
    ...createPinActivities({ store, pins: createPins(db) }),
    ...createApplySchedulesActivities((options) =>
      applySchedules(temporal.client.schedule, { registry: REGISTRY, models: [MODEL], ...options }),
    ),
  };
  worker = await temporal.createWorker({
    taskQueue: QUEUES.release,
    workflowBundle: await bundleWorkflows(),
    activities: Object.fromEntries(Object.entries(activities).map(([name, work]) => [name, losing(name, work)])),
    interceptors: activityInterceptors(),
  });
  running = worker.run();
});
afterAll(async () => {
  worker?.shutdown();
  await running;
  await session?.close();
  await temporal?.close();
  await mongo?.close();
  store?.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => lost.clear());

const settings = () => loadSettings({ MLFLOW_TRACKING_URI: 'http://none', ...servers.env });

function losing(name: string, work: (input: never) => Promise<unknown>): (input: never) => Promise<unknown> {
  return async (input) => {
    const answer = await work(input);
    if (lost.delete(name)) throw new Error('the worker was killed before it could answer');
    return answer;
  };
}

interface Ran {
  /** the exit code, or the type of the error */
  code: number | string | undefined;
  message: string;
  json: Record<string, unknown>;
  text: string;
}

/** Runs a command as the client does. */
async function sluice(actor: string, ...words: string[]): Promise<Ran> {
  const ran: Ran = { code: undefined, message: '', json: {}, text: '' };
  const cli = {
    output: {
      json: false,
      tty: false,
      line: () => undefined,
      error: () => undefined,
      result: (value: Record<string, unknown>, text: () => string) => {
        ran.json = value;
        ran.text = text();
      },
    },
    actor,
    token: null,
    env: {},
    modelsDirectory: projectPath('models'),
    interrupted: new AbortController().signal,
    onInterrupt: () => undefined,
    setExitCode: (code: number) => void (ran.code = code),
    withSettings: async (work: (one: ReturnType<typeof settings>) => Promise<number>) =>
      void (ran.code = await work(settings())),
    withSession: async (work: (one: Session) => Promise<number>) => void (ran.code = await work(session)),
  } as unknown as Cli;
  const [name, ...rest] = words;
  const commands = {
    synonyms: synonymsCommand,
    labels: labelsCommand,
    artifacts: artifactsCommand,
    data: dataCommand,
    schedules: schedulesCommand,
  };
  try {
    await commands[name as keyof typeof commands](cli).parseAsync(rest, { from: 'user' });
  } catch (error) {
    ran.code = (error as { type?: string }).type ?? String(error);
    ran.message = (error as Error).message;
  }
  return ran;
}

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of found) list.push(one);
  return list;
}

/** The newest run of a kind. */
async function newest(workflowType: string) {
  for await (const { workflowId } of temporal.client.workflow.list({ query: `WorkflowType = '${workflowType}'` }))
    return temporal.client.workflow.getHandle(workflowId);
  return expect.fail(`no run of ${workflowType}`);
}
const refusals = () =>
  mongo.db.collection(COLLECTIONS.decisionLog.name).countDocuments({ allowed: false, actor: 'rudi' });

describe('an experts’ file', () => {
  const write = async (synonyms: Record<string, string>): Promise<string> => {
    const file = join(directory, 'edit.json');
    await writeFile(file, JSON.stringify({ canonical: ['travel'], synonyms }));
    return file;
  };
  const publish = async (actor: string, synonyms: Record<string, string>) =>
    sluice(actor, 'synonyms', 'publish', await write(synonyms), '--reason', 'new terminals');

  it('is published by an operator, once, although the first answer is lost', async () => {
    const refused = await publish('rudi', { trip: 'travel' });
    expect(refused).toMatchObject({ code: 'NotAuthorised', message: expect.stringContaining('operator') as string });
    await freeze('refused', await newest('publishExpertFile'));
    expect(await publishedFile(store, MODEL, FILE)).toBeNull();
    expect(await refusals()).toBe(1);

    const first = await publish('olga', { trip: 'travel' });
    expect(first).toMatchObject({ code: 0, json: { changed: true, former: null, replaced: null } });
    lost.add('publishExpertFile');
    const second = await publish('olga', { voyage: 'travel' });
    expect(lost.size).toBe(0);
    expect(second.json).toMatchObject({ changed: true, replaced: first.json['sha256'] });
    expect(second.json['former']).toContain(String(first.json['sha256']).slice(0, 16));
    expect(await publishedFile(store, MODEL, FILE)).toMatchObject({
      sha256: second.json['sha256'],
      by: { actor: 'olga', reason: 'new terminals' },
    });
    await freeze('published', await newest('publishExpertFile'));
    expect((await publish('olga', { voyage: 'travel' })).json).toMatchObject({ changed: false });
  });

  it('is refused when another one was published meanwhile, or when it is too large to travel', async () => {
    const words = ['synonyms', 'publish', await write({ tour: 'travel' }), '--reason', 'x', '--base', 'abc'];
    expect(await sluice('olga', ...words)).toMatchObject({ code: 'Conflict' });
    const random = (): string => randomBytes(16).toString('hex');
    const large = Object.fromEntries(Array.from({ length: 50_000 }, () => [random(), 'travel']));
    expect(await publish('olga', large)).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringMatching(/bytes when compressed, and at most 750000 can be published/) as string,
    });
  });

  it('names the field of an input that cannot be used', async () => {
    const start = (change: object) =>
      temporal.client.workflow
        .execute('publishExpertFile', {
          taskQueue: QUEUES.release,
          workflowId: `expert-file/${MODEL}/${Math.random()}`,
          args: [
            {
              model: MODEL,
              lookup: 'operation_type_synonyms',
              packed: gzipSync('{}').toString('base64'),
              sha256: sha256Hex('{}'),
              operationId: 'o',
              caller: { actor: 'olga', reason: 'x' },
              ...change,
            },
          ],
        })
        .catch((error: unknown) => ownFailure(error));
    expect(await start({ lookup: 'nothing' })).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('/lookup') as string,
    });
    expect(await start({ packed: 'no gzip' })).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('/packed') as string,
    });
    expect(await start({ model: 'nobody' })).toMatchObject({ type: 'UnknownModel' });
  });
});

describe('labels', () => {
  const csv = async (rows: string[]): Promise<string> => {
    const file = join(directory, 'labels.csv');
    await writeFile(file, ['transaction_id,is_fraud,labeled_at', ...rows].join('\n'));
    return file;
  };
  const known = () => mongo.db.collection(COLLECTIONS.feedback.name).countDocuments();

  it('are recorded for an operator, each batch once, and counted as recorded although an answer is lost', async () => {
    const file = await csv(Array.from({ length: 1500 }, (_, i) => `t-${i},${i % 2},2025-06-01T00:00:00Z`));
    expect(await sluice('rudi', 'labels', 'import', file)).toMatchObject({ code: 'NotAuthorised' });
    await freeze('refused', await newest('importLabels'));
    expect(await known()).toBe(0);

    lost.add('recordLabels');
    const imported = await sluice('olga', 'labels', 'import', file);
    expect(lost.size).toBe(0);
    expect(imported).toMatchObject({
      code: 0,
      json: { read: 1500, recorded: 1500, unchanged: 0, unknown_transactions: 1500 },
    });
    expect(await known()).toBe(1500);
    expect(await mongo.db.collection(COLLECTIONS.labelBatches.name).countDocuments()).toBe(2);
    const run = await newest('importLabels');
    expect(await run.result()).toEqual({ batches: 2, outcome: 'finished' });
    await freeze('finished', run);
    expect((await sluice('olga', 'labels', 'import', file)).json).toMatchObject({ recorded: 0, unchanged: 1500 });
  });

  it('are rejected by line and field, and a file without a usable row is told by the exit code', async () => {
    const before = await known();
    const rejected = await sluice('olga', 'labels', 'import', await csv(['t-1,1,2125-07-02T00:00:00Z']));
    expect(rejected).toMatchObject({ code: 2, json: { read: 1, recorded: 0, refused: { count: 1 } } });
    expect(rejected.text).toMatch(/^1 row: 0 recorded.*1 rejected[^]*line 2: \/labeled_at must not lie in the future/);
    expect(await known()).toBe(before);
  });

  it('go on in a new run when a history has its number of batches; a batch that is sent again is answered', async () => {
    const cli = { actor: 'olga', token: null } as unknown as Cli;
    const sender = labelSender(cli, await openSession(settings()), MODEL);
    const label = (n: number) => ({ transaction_id: `many-${n}`, is_fraud: true, labeled_at: new Date('2025-06-01') });
    for (let n = 0; n < BATCHES_PER_RUN + 2; n += 1)
      expect(await sender.record([label(n)])).toMatchObject({ recorded: 1 });
    const run = await newest('importLabels');
    const again = {
      index: BATCHES_PER_RUN + 1,
      labels: [{ ...label(BATCHES_PER_RUN + 1), labeled_at: '2025-06-01T00:00:00Z' }],
    };
    expect(await run.executeUpdate(RECORD_UPDATE, { args: [again] })).toMatchObject({ recorded: 1 });
    const early = run.executeUpdate(RECORD_UPDATE, { args: [{ ...again, index: BATCHES_PER_RUN + 9 }] });
    await expect(early).rejects.toMatchObject({
      cause: { message: `/index is ${BATCHES_PER_RUN + 9}; the next batch is ${BATCHES_PER_RUN + 2}` },
    });
    await sender.close();
    expect(await run.result()).toEqual({ batches: BATCHES_PER_RUN + 2, outcome: 'finished' });
    const [first] = await all(
      temporal.client.workflow.list({
        query: `WorkflowId = '${run.workflowId}' AND ExecutionStatus = 'ContinuedAsNew'`,
      }),
    );
    await freeze('continued', temporal.client.workflow.getHandle(run.workflowId, first?.runId));
  });
});

describe('a pin', () => {
  const pins = () => createPins(mongo.db).of(MODEL);

  it('is put and taken away by an operator, once each, and of a bundle that is there', async () => {
    await store.putIfAbsent(bundleKey(MODEL, VERSION, MANIFEST_FILE), Buffer.from('{}'), 'application/json');
    const pin = ['artifacts', 'pin', VERSION, '--reason', 'audit'];
    expect(await sluice('rudi', ...pin)).toMatchObject({ code: 'NotAuthorised' });
    await freeze('refused', await newest('pinBundle'));
    expect(await pins()).toEqual([]);

    lost.add('putPin');
    expect(await sluice('olga', ...pin)).toMatchObject({ code: 0, text: `pinned ${VERSION}: audit` });
    expect(await pins()).toMatchObject([{ version: VERSION, actor: 'olga', reason: 'audit' }]);
    await freeze('pinned', await newest('pinBundle'));

    expect(await sluice('rudi', 'artifacts', 'unpin', VERSION)).toMatchObject({ code: 'NotAuthorised' });
    lost.add('deletePin');
    expect(await sluice('olga', 'artifacts', 'unpin', VERSION)).toMatchObject({ code: 0, text: `unpinned ${VERSION}` });
    expect(lost.size).toBe(0);
    expect(await pins()).toEqual([]);
    await freeze('unpinned', await newest('pinBundle'));

    expect(await sluice('olga', 'artifacts', 'unpin', VERSION)).toMatchObject({ code: 'NotFound' });
    expect(await sluice('olga', 'artifacts', 'pin', 'gone', '--reason', 'x')).toMatchObject({ code: 'NotFound' });
    expect(await sluice('olga', 'artifacts', 'pin', '../x', '--reason', 'x')).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('/version') as string,
    });
  });
});

describe('transactions', () => {
  const transactions = () => mongo.db.collection('bank_transactions');
  const row = (transaction_id: string, change: object = {}) => ({
    transaction_id,
    customer_id: 'c1',
    booked_at: new Date('2025-03-03T10:00:00Z'),
    amount: 12.5,
    currency: 'EUR',
    operation_type: 'travel',
    merchant_name: 'Kuhn LLC',
    is_fraud: 0,
    labeled_at: new Date('2025-04-02T10:00:00Z'),
    ...change,
  });
  const show = async (...ids: string[]) => (await sluice('rudi', 'data', 'show', ...ids)) as unknown as Shown;
  interface Shown {
    code: number;
    text: string;
    json: Record<string, unknown>[];
  }

  it('are shown with the rows that say the same, and deleted by an operator, once, although the first answer is lost', async () => {
    await transactions().insertMany([row('one'), row('two'), row('other', { amount: 13 })]);
    const shown = await show('two', 'gone');
    expect(shown).toMatchObject({
      code: 7,
      json: [
        { id: 'two', transaction: { amount: 12.5 }, same_as: ['one'], deleted: [] },
        { id: 'gone', transaction: null },
      ],
    });
    expect(shown.text).toContain('the same in all but the id: one');
    expect(shown.text).toContain('gone: there is no such transaction');

    const remove = (actor: string, ...ids: string[]) =>
      sluice(actor, 'data', 'delete', ...ids, '--reason', 'imported twice');
    expect(await remove('rudi', 'two')).toMatchObject({ code: 'NotAuthorised' });
    await freeze('refused', await newest('deleteTransactions'));
    expect(await remove('olga', 'two', 'gone')).toMatchObject({
      code: 'NotFound',
      message: expect.stringMatching(/bank_transactions has no transaction_id gone/) as string,
    });
    expect(await transactions().countDocuments()).toBe(3);

    lost.add('deleteTransactions');
    const deleted = await remove('olga', 'two', 'two');
    expect(lost.size).toBe(0);
    expect(deleted).toMatchObject({ code: 0, json: { deleted: [{ id: 'two' }], actor: 'olga' } });
    await freeze('deleted', await newest('deleteTransactions'));
    expect((await transactions().distinct('transaction_id')).sort()).toEqual(['one', 'other']);
    expect(await show('two')).toMatchObject({
      code: 7,
      json: [{ transaction: null, deleted: [{ actor: 'olga', reason: 'imported twice' }] }],
    });
    const entry = await mongo.db
      .collection(COLLECTIONS.decisionLog.name)
      .findOne({ subject: `delete transactions of ${MODEL}: two`, actor: 'olga' });
    expect(entry).toMatchObject({ allowed: true, reason: 'imported twice' });
  });
});

describe('schedules', () => {
  const count = async () => (await all(temporal.client.schedule.list())).length;

  it('are applied by an operator, and the answer says what changed although it is lost once', async () => {
    expect(await sluice('rudi', 'schedules', 'apply')).toMatchObject({ code: 'NotAuthorised' });
    await freeze('refused', await newest('applySchedules'));
    expect(await count()).toBe(0);
    lost.add('applySchedules');
    const applied = await sluice('olga', 'schedules', 'apply', '--as-of-offset-days', '-5');
    expect(lost.size).toBe(0);
    expect(applied).toMatchObject({ code: 0, json: { dryRun: false } });
    const changes = applied.json['changes'] as { change: string }[];
    expect(new Set(changes.map(({ change }) => change))).toEqual(new Set(['create']));
    await expect.poll(count, { timeout: 10_000 }).toBe(REGISTRY.length);
    await freeze('applied', await newest('applySchedules'));
  });
});

describe('the search attributes of a namespace', () => {
  const silent = { warn: () => undefined };

  it('are asked for at a worker’s start: what is missing is named, with the command that adds it', async () => {
    const namespace = `bare-${Date.now()}`;
    const { connection } = temporal.client;
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    const added = { SluiceModel: 2, SluiceStatus: 2, SluiceRelease: 2, SluiceStep: 1 };
    const operator = (connection as unknown as Parameters<typeof requireSearchAttributes>[0]).operatorService;
    await operator.addSearchAttributes({ namespace, searchAttributes: added });
    const failure = (await requireSearchAttributes({ operatorService: operator }, namespace, silent).catch(
      (error: unknown) => error,
    )) as Error;
    expect(failure).toMatchObject({ type: 'InvalidInput' });
    expect(failure.message).toContain('lacks the search attributes SluiceStep (Keyword), SluiceHolds (KeywordList)');
    expect(failure.message).toContain('SluiceStep is registered with another type');
    expect(failure.message).toContain(
      `temporal operator search-attribute create --namespace ${namespace} --name SluiceStep --type Keyword --name SluiceHolds --type KeywordList`,
    );
  });

  it('are no trouble where the stack has registered them', async () => {
    const { connection } = temporal.client;
    const operator = {
      operatorService: (connection as unknown as Parameters<typeof requireSearchAttributes>[0]).operatorService,
    };
    await expect(
      requireSearchAttributes(operator, servers.env['TEMPORAL_NAMESPACE'] as string, silent),
    ).resolves.toBeUndefined();
  });
});
