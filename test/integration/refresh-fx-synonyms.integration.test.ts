import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Db, Document } from 'mongodb';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashRows } from '../../activities/training-data/hash-rows.js';
import { createTrainingDataActivities } from '../../activities/training-data/training-data.js';
import type { RefreshInput } from '../../activities/refresh/contract.js';
import { createFxRefreshActivities } from '../../activities/refresh/fx/fx.js';
import { createFxProvider } from '../../activities/refresh/fx/sources.js';
import { publishedFile, publishLookupFile } from '../../stores/expert-files/publish.js';
import { createSynonymsRefreshActivities } from '../../activities/refresh/synonyms/synonyms.js';
import type { Cli } from '../../client/cli.js';
import { synonymsCommand } from '../../client/commands/synonyms.js';
import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import { runKey } from '../../domain/runs/key.js';
import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { expertFileKey } from '../../stores/keys.js';
import { loadSettings } from '../../platform/config.js';
import { loadModel, modelReader, type LoadedModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { ArtifactVersion, FxRates, OperationTypeSynonyms } from '../../schemas/types.js';
import { ecbXml, readEcbCsv, type ReplayDay } from '../../stack/fx/documents.js';
import { createReplayServer } from '../../stack/fx/server.js';
import { publishLookups } from '../support/live-lookups.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const AS_OF = '2025-06-30T00:00:00.000Z';
const CSV = projectPath('data', 'ecb_fixings.csv');
const { signer, trustedKeys } = testSigner();
const log = pino({ level: 'silent' });
const now = (): Date => new Date('2025-07-31T18:00:00Z');

/** The ECB's table, read without any code of ours. */
const table = ((): { day: string; rates: Record<string, number> }[] => {
  const [header = '', ...lines] = readFileSync(CSV, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [day = '', ...cells] = line.split(',');
    return {
      day,
      rates: Object.fromEntries(cells.map((cell, index) => [header.split(',')[index + 1]!, Number(cell)])),
    };
  });
})();
const fixingsUntil = (last: string): Fixing[] =>
  table.filter(({ day }) => day <= last).map(({ day, rates }) => ({ _id: day, base: 'EUR', rates }));

let servers: SharedServers;
let mongo: Mongo;
let model: LoadedModel;
/** of the test at hand: a database and a bucket of its own */
let db: Db;
let store: ObjectStore;
let serial = 0;
const listening: Server[] = [];

beforeAll(async () => {
  servers = await useServers(['mongo', 's3']);
  mongo = await testMongo(servers.env, 'unused');
  model = await loadModel(projectPath('models'), 'ulb_gbdt');
});
afterAll(async () => {
  await mongo?.close();
});
beforeEach(async () => {
  serial += 1;
  db = mongo.client.db(`fx_${serial}`);
  store = await testStore(servers.env, { bucket: `fx-${serial}` });
  await store.ensureBucket();
});
afterEach(async () => {
  store.close();
  for (const server of listening.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<string> {
  listening.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const replay = (): Promise<string> => listen(createReplayServer({ csvFile: CSV, outageFile: '/nonexistent' }));
/** A server that gives one body for every file of the ECB's. */
const says = (body: string): Promise<string> => {
  const route: RequestListener = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/xml' }).end(body);
  return listen(createServer(route));
};

const row = (change: Document = {}): Document => ({
  transaction_id: `t${(serial += 1)}`,
  customer_id: 'c1',
  booked_at: new Date('2025-06-20T10:00:00Z'),
  amount: 10,
  currency: 'EUR',
  operation_type: 'travel',
  merchant_name: 'Kuhn LLC',
  is_fraud: 0,
  labeled_at: new Date('2025-06-25T10:00:00Z'),
  ...change,
});
const rows = (...changes: Document[]): Promise<unknown> =>
  db.collection('bank_transactions').insertMany((changes.length === 0 ? [{}] : changes).map(row));
const stored = (): Promise<Fixing[]> =>
  db
    .collection<Fixing>('fx_fixings')
    .find({}, { sort: { _id: 1 } })
    .toArray();
const storeFixings = (fixings: Fixing[]): Promise<unknown> => db.collection<Fixing>('fx_fixings').insertMany(fixings);
const document = async <T>(artifact: RefreshedArtifact | undefined): Promise<T> =>
  JSON.parse((await store.get(artifact!.objectKey))!.bytes.toString('utf8')) as T;

/** A live bundle with these lookups. */
const goLive = (documents: Record<string, unknown>, asOf = '2025-06-01T00:00:00.000Z'): Promise<RefreshInput['live']> =>
  publishLookups(
    store,
    signer,
    model.spec,
    `20250630-${String((serial += 1)).padStart(6, '0')}-1.0.0-abcdef0`,
    Object.fromEntries(Object.entries(documents).map(([name, one]) => [name, { document: one, asOf }])),
  );
const ratesAt = (asOf: string): FxRates =>
  buildFxRates(fixingsUntil('2025-07-31'), { baseCurrency: 'USD', asOf, trailingDays: 45 });

const deps = () => ({ db, store, trustedKeys, models: { load: () => Promise.resolve(model) }, log });
async function refreshFx(
  source: string,
  options: { asOf?: string; live: RefreshInput['live']; store?: ObjectStore },
): Promise<RefreshedArtifact> {
  const { asOf = AS_OF, live } = options;
  const { refreshFxRates } = createFxRefreshActivities({
    ...deps(),
    store: options.store ?? store,
    provider: () => createFxProvider({ source, apiKey: '', now }),
  });
  const input: RefreshInput = { model: 'ulb_gbdt', asOf, key: runKey(asOf), live };
  const artifacts: RefreshedArtifact[] = await new MockActivityEnvironment().run(() => refreshFxRates(input));
  return artifacts[0]!;
}
const failed = ({ checks }: RefreshedArtifact): string[] =>
  checks.filter(({ passed }) => !passed).map(({ name }) => name);

describe('the nightly exchange rates', () => {
  it('are the ECB’s of that day: what is missing is fetched, stored, made into the lookup, once', async () => {
    await rows({}, { currency: 'PLN' }, { currency: 'USD' });
    await storeFixings(fixingsUntil('2025-06-25'));
    const live = await goLive({ fx_rates: ratesAt('2025-06-26T00:00:00Z') });
    const artifact = await refreshFx(await replay(), { live });

    const rates = await document<FxRates>(artifact);
    const published = table.find(({ day }) => day === '2025-06-30')!.rates;
    expect(rates).toMatchObject({ base_currency: 'USD', fixing_date: '2025-06-30', last_updated: AS_OF });
    expect(Object.keys(rates.exchange_rates).sort()).toEqual([...Object.keys(published), 'EUR'].sort());
    for (const [currency, perEuro] of Object.entries({ ...published, EUR: 1 }))
      expect(rates.exchange_rates[currency]).toBeCloseTo(published['USD']! / perEuro, 12);
    expect(rates.trailing[0]?.date).toBe('2025-06-27');
    expect(rates.trailing.at(-1)?.date).toBe('2025-05-16');
    expect((await stored()).slice(-4)).toEqual(fixingsUntil('2025-06-30').slice(-4));
    expect(artifact).toMatchObject({ state: 'changed', asOf: AS_OF, rows: 32 });
    expect(failed(artifact)).toEqual([]);
    expect(artifact.checks.map(({ name }) => name)).toEqual([
      'currencies_quoted',
      'fixing_age',
      'changed_keys',
      'largest_move',
    ]);
    expect(artifact.notes).toEqual([expect.stringMatching(/^new from http:.*: 2025-06-26, 2025-06-27, 2025-06-30$/)]);
    const made = JSON.parse((await store.get(artifact.versionKey))!.bytes.toString('utf8')) as ArtifactVersion;
    expect(made).toMatchObject({
      artifact: 'fx_rates',
      window: { from: '2025-05-16T00:00:00.000Z', to: '2025-06-30T00:00:00.000Z' },
      inputs: { collection: 'fx_fixings', source: expect.stringContaining('http://127.0.0.1') },
    });

    // again, with nobody there to ask
    expect(await refreshFx('http://127.0.0.1:1', { live })).toEqual(artifact);
    // and once it is live
    const next = await goLive({ fx_rates: rates }, AS_OF);
    expect(await refreshFx('http://127.0.0.1:1', { live: next })).toEqual({ ...artifact, state: 'unchanged' });
  });

  it('are carried forward over a weekend, which says so and changes nothing', async () => {
    await rows();
    await storeFixings(fixingsUntil('2025-06-27'));
    const source = await replay();
    const saturday = await refreshFx(source, { asOf: '2025-06-28T00:00:00Z', live: await goLive({}) });
    const live = await goLive({ fx_rates: await document<FxRates>(saturday) }, '2025-06-28T00:00:00.000Z');
    const sunday = await refreshFx(source, { asOf: '2025-06-29T00:00:00Z', live });
    expect(sunday.state).toBe('unchanged');
    expect(failed(sunday)).toEqual([]);
    expect(sunday.notes).toEqual([
      'no fixing on 2025-06-28 (weekend): that of 2025-06-27 is carried forward',
      'no fixing on 2025-06-29 (weekend): that of 2025-06-27 is carried forward',
    ]);
    expect(await document<FxRates>(sunday)).toMatchObject({ fixing_date: '2025-06-27' });
    // the source went quiet: too old by and by
    const late = await refreshFx(source, { asOf: '2025-08-10T00:00:00Z', live }).catch((error: Error) => error);
    expect(late).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: 'fixing_age', passed: false, observed: 6 })]),
    });
  });

  it('are held when a currency of the window is missing, by name', async () => {
    await rows({}, { currency: 'XAU' }, { currency: 'XAU' }, { currency: 7 });
    const artifact = await refreshFx(await replay(), { live: await goLive({ fx_rates: ratesAt(AS_OF) }) });
    expect(failed(artifact)).toEqual(['currencies_quoted']);
    expect(artifact.checks[0]?.message).toContain('does not quote "XAU" (2 rows of the window)');
    expect(artifact.notes).toContain('1 rows of the window have no text as /currency: they are not converted');
    expect((await stored()).at(-1)?._id).toBe('2025-06-30');
  });

  it('are held when one moved too far, and stored only once that is live', async () => {
    await rows();
    await storeFixings(fixingsUntil('2025-06-27'));
    const live = await goLive({ fx_rates: ratesAt('2025-06-28T00:00:00Z') });
    const wild = readEcbCsv(readFileSync(CSV, 'utf8')).find(({ day }) => day === '2025-06-30') as ReplayDay;
    const doubled = wild.rates.map(([currency, rate]): [string, string] => [
      currency,
      currency === 'GBP' ? '1.711' : rate,
    ]);
    const source = await says(ecbXml([{ ...wild, rates: doubled }]));
    const artifact = await refreshFx(source, { live });
    expect(failed(artifact)).toEqual(['largest_move']);
    expect(artifact.checks.at(-1)?.message).toContain('GBP, 2025-06-27, live, → 2025-06-30');
    expect(artifact.notes.at(-1)).toContain('the new fixings are not in fx_fixings');
    expect((await stored()).at(-1)?._id).toBe('2025-06-27');

    const approved = await goLive({ fx_rates: await document<FxRates>(artifact) }, AS_OF);
    const next = await refreshFx(source, { live: approved, asOf: '2025-06-30T18:00:00Z' });
    expect(failed(next)).toEqual([]);
    expect((await stored()).at(-1)).toMatchObject({ _id: '2025-06-30', rates: { GBP: 1.711 } });
  });

  it('let a stored day stand, and say that the source differs', async () => {
    await rows();
    const own = fixingsUntil('2025-06-30').map((one) =>
      one._id === '2025-06-30' ? { ...one, rates: { ...one.rates, GBP: 0.86 } } : one,
    );
    await storeFixings(own);
    const artifact = await refreshFx(await replay(), { live: await goLive({ fx_rates: ratesAt(AS_OF) }) });
    expect(artifact.notes).toEqual([expect.stringMatching(/stored fixing of 2025-06-30 stands.*GBP by 0\.52/)]);
    expect((await document<FxRates>(artifact)).exchange_rates['GBP']).toBeCloseTo(1.172 / 0.86, 12);
    expect(await stored()).toEqual(own);
  });

  it('fail with a source that is down or wrong, and store nothing', async () => {
    await rows();
    await storeFixings(fixingsUntil('2025-06-27'));
    const live = await goLive({ fx_rates: ratesAt('2025-06-28T00:00:00Z') });
    const good = ecbXml(readEcbCsv(readFileSync(CSV, 'utf8')).filter(({ day }) => day === '2025-06-30'));
    for (const [source, type, message] of [
      ['http://127.0.0.1:1', 'Unreachable', 'ECONNREFUSED'],
      [await says(good.slice(0, -40)), 'Unreachable', 'stops in the middle'],
      [await says('<!DOCTYPE html><html></html>'), 'InvalidInput', 'DOCTYPE'],
      [await says(good.replace(/<Cube currency="USD"[^>]*>/, '')), 'InvalidInput', 'does not quote USD'],
      ['nowhere', 'InvalidInput', 'FX_SOURCE must be'],
    ] as const) {
      await expect(refreshFx(source, { live })).rejects.toMatchObject({
        type,
        message: expect.stringContaining(message),
      });
    }
    expect(await store.list('fraud/refresh/')).toEqual([]);
    expect((await stored()).at(-1)?._id).toBe('2025-06-27');
    // the next try has everything
    expect(failed(await refreshFx(await replay(), { live }))).toEqual([]);
  });

  it('come out the same after a death between the two stores; an empty window fails', async () => {
    const live = await goLive({ fx_rates: ratesAt(AS_OF) });
    const source = await replay();
    await expect(refreshFx(source, { live })).rejects.toMatchObject({
      type: 'NoData',
      message: expect.stringContaining('no row between'),
    });
    await rows();
    const dying: ObjectStore = { ...store, putIfAbsent: () => Promise.reject(new Error('killed')) };
    await expect(refreshFx(source, { live, store: dying })).rejects.toThrow('killed');
    const before = await stored();
    expect(before.length).toBeGreaterThan(30);
    const artifact = await refreshFx(source, { live });
    expect(await stored()).toEqual(before);
    expect((await document<FxRates>(artifact)).fixing_date).toBe('2025-06-30');
  });
});

const FILE = 'operation_type_synonyms.json';
const LOOKUP = 'operation_type_synonyms';
const own = (): OperationTypeSynonyms => model.staticLookups[LOOKUP]!.document as OperationTypeSynonyms;
const edited = (synonyms: Record<string, string>): Buffer =>
  Buffer.from(JSON.stringify({ ...own(), synonyms: { ...own().synonyms, ...synonyms } }, null, 2));
const by = (reason = 'new spellings') => ({ actor: 'Zoë', reason, at: '2025-06-29T12:00:00.000Z' });

async function refreshSynonyms(live: RefreshInput['live'], asOf = AS_OF): Promise<RefreshedArtifact> {
  const { refreshSynonyms: run } = createSynonymsRefreshActivities(deps());
  const input: RefreshInput = { model: 'ulb_gbdt', asOf, key: runKey(asOf), live };
  const artifacts: RefreshedArtifact[] = await new MockActivityEnvironment().run(() => run(input));
  return artifacts[0]!;
}

describe('the nightly synonyms', () => {
  it('are the model folder’s until an expert publishes; what maps to nothing is listed by count', async () => {
    await rows(
      ...Array.from({ length: 3 }, () => ({ operation_type: 'Crypto ATM' })),
      ...Array.from({ length: 25 }, (_, index) => ({ operation_type: `odd ${String(index).padStart(2, '0')}` })),
      { operation_type: '  TRAVEL ' },
      { operation_type: null },
    );
    const live = await goLive({ [LOOKUP]: own() });
    const first = await refreshSynonyms(live);
    expect(first).toMatchObject({ state: 'unchanged', rows: 30, file: FILE });
    expect(first.notes[0]).toContain('sluice synonyms publish');
    expect(first.notes[1]).toMatch(
      /^28 of 30 rows have a \/operation_type that maps to nothing: "Crypto ATM" \(3\), "odd 00" \(1\).* and 6 more; all in s3:/,
    );
    const report = (await store.get(/s3:\/\/[^/]+\/(\S+)$/.exec(first.notes[1]!)![1]!))!;
    expect(JSON.parse(report.bytes.toString('utf8'))).toMatchObject({ unmapped_rows: 28, values: { length: 26 } });

    await publishLookupFile(store, model, LOOKUP, edited({ 'Crypto  ATM': 'misc_net' }), by());
    const asOf = '2025-06-30T12:00:00.000Z';
    const second = await refreshSynonyms(live, asOf);
    expect(second.state).toBe('changed');
    expect(failed(second)).toEqual([]);
    expect((await document<OperationTypeSynonyms>(second)).synonyms['crypto atm']).toBe('misc_net');
    expect(second.notes).toEqual([expect.stringMatching(/^25 of 30 rows/)]);
    const made = JSON.parse((await store.get(second.versionKey))!.bytes.toString('utf8')) as ArtifactVersion;
    expect(made.inputs).toEqual({
      source: `s3://${store.bucket}/${expertFileKey('ulb_gbdt', FILE)}`,
      file_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    // the day's answer stands, whatever is published later that day
    await publishLookupFile(store, model, LOOKUP, edited({ more: 'home' }), by());
    expect(await refreshSynonyms(live, asOf)).toEqual(second);
  });

  it('fail with every mistake of a broken file, and what is live stays', async () => {
    await rows();
    const live = await goLive({ [LOOKUP]: own() });
    const broken = Buffer.from(
      '{\n"canonical": ["travel", "crypto"],\n"synonyms": {\n"a": "b",\n"b": "a",\n"Trip": "travel",\n"trip": "crypto"\n}\n}\n',
    );
    await store.putIfMatch(expertFileKey('ulb_gbdt', FILE), broken, null);
    const failure = await refreshSynonyms(live).catch(
      (error: { type: string; message: string; details: object }) => error,
    );
    expect(failure).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/line 2:\d+ .*"crypto".*line 4:1 cycle.*line 7:1 conflict.*sluice synonyms check/),
    });
    expect(await store.list('fraud/refresh/')).toEqual([]);
  });

  it('are held when most of the table changed', async () => {
    await rows();
    const live = await goLive({ [LOOKUP]: own() });
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`new ${index}`, 'home']));
    await publishLookupFile(store, model, LOOKUP, edited(many), by());
    expect(failed(await refreshSynonyms(live))).toEqual(['size_change', 'changed_keys']);
  });
});

describe('publishing synonyms', () => {
  it('keeps who and why, and the file before; refuses rivals, an edit of another file, and mistakes', async () => {
    const publish = (bytes: Buffer, change: object = {}): ReturnType<typeof publishLookupFile> =>
      publishLookupFile(store, model, LOOKUP, bytes, { ...by('für „Krypto“ — 暗号'), ...change });
    const first = await publish(edited({ one: 'home' }));
    expect(first).toMatchObject({ changed: true, replaced: null, former: null });
    expect((await publishedFile(store, 'ulb_gbdt', FILE))?.by).toEqual(by('für „Krypto“ — 暗号'));
    const again = { at: '2025-06-29T12:00:01.000Z' };
    expect(await publish(edited({ one: 'home' }), again)).toMatchObject({ changed: false });
    // the same publication, whose answer was not heard
    expect(await publish(edited({ one: 'home' }))).toEqual(first);

    const second = await publish(edited({ two: 'home' }), { base: first.sha256.slice(0, 12) });
    expect(second.replaced).toBe(first.sha256);
    const former = await store.get(second.former!.replace(`s3://${store.bucket}/`, ''));
    expect(former?.bytes).toEqual(edited({ one: 'home' }));
    await expect(publish(edited({ three: 'home' }), { base: first.sha256 })).rejects.toMatchObject({
      type: 'Conflict',
      message: expect.stringContaining('published by Zoë'),
    });
    await expect(publish(edited({ three: 'nowhere' }))).rejects.toMatchObject({
      type: 'InvalidInput',
      details: { violations: [expect.objectContaining({ message: expect.stringContaining('"nowhere"') })] },
    });
    await expect(publish(edited({ three: 'home' }), { reason: '字'.repeat(400) })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('too long'),
    });

    const rivals = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => publish(edited({ [name]: 'home' }))));
    const lost = rivals.filter(({ status }) => status === 'rejected');
    expect(lost.length).toBeLessThan(rivals.length);
    for (const one of lost) expect((one as PromiseRejectedResult).reason).toMatchObject({ type: 'Conflict' });
  });

  it('reaches the next release, which never brings the folder’s file back', async () => {
    const day = (index: number): Date => new Date(Date.parse('2025-01-05T10:00:00Z') + index * 43_200_000);
    await rows(
      ...Array.from({ length: 200 }, (_, index) => ({
        booked_at: day(index),
        labeled_at: day(index + 20),
        is_fraud: index % 7 === 0 ? 1 : 0,
        operation_type: index % 2 === 0 ? 'Crypto ATM' : 'travel',
      })),
    );
    await storeFixings(fixingsUntil('2025-06-30'));
    const { snapshot } = createTrainingDataActivities({
      db,
      store,
      models: modelReader(projectPath('models')),
      trustedKeys,
      log,
      hashRows,
    });
    const take = (): Promise<SnapshotRef> =>
      new MockActivityEnvironment().run(snapshot, { model: 'ulb_gbdt', releaseId: 'r', asOf: AS_OF });
    const lookup = async ({ prefix }: SnapshotRef, file: string): Promise<unknown> =>
      JSON.parse((await store.get(`${prefix}lookups/${file}`))!.bytes.toString('utf8'));
    const before = await take();
    expect(await lookup(before, FILE)).toEqual(own());
    await publishLookupFile(store, model, LOOKUP, edited({ 'Crypto ATM': 'misc_net' }), by());
    const after = await take();
    expect(after.contentSha256).not.toBe(before.contentSha256);
    expect(await lookup(after, FILE)).toMatchObject({ synonyms: { 'crypto atm': 'misc_net' } });
    const versionFile = (await store.list(`${after.prefix}lookups/`)).find(({ key }) => /synonyms.*version/.test(key))!;
    const made = JSON.parse((await store.get(versionFile.key))!.bytes.toString('utf8')) as ArtifactVersion;
    expect(made.inputs['source']).toBe(`s3://${store.bucket}/${expertFileKey('ulb_gbdt', FILE)}`);

    await store.putIfMatch(
      expertFileKey('ulb_gbdt', FILE),
      Buffer.from('{'),
      (await publishedFile(store, 'ulb_gbdt', FILE))!.etag,
    );
    await expect(take()).rejects.toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('not JSON') });
  });
});

describe('sluice synonyms', () => {
  async function sluice(...words: string[]): Promise<{ code: number; out: unknown; errors: string }> {
    const said = { code: 0, out: undefined as unknown, errors: '' };
    const settings = loadSettings({
      TEMPORAL_ADDRESS: 'unused',
      MLFLOW_TRACKING_URI: 'unused',
      ...servers.env,
      MONGODB_DATABASE: db.databaseName,
      S3_BUCKET: store.bucket,
    });
    const cli = {
      output: {
        json: false,
        tty: false,
        line: () => undefined,
        error: (text: string) => void (said.errors += text),
        result: (value: unknown, text: () => string) => void (said.out = { value, text: text() }),
      },
      actor: 'expert',
      modelsDirectory: projectPath('models'),
      setExitCode: (code: number) => void (said.code = code),
      onInterrupt: () => undefined,
      withSettings: async (work: (one: typeof settings) => Promise<number>) => void (said.code = await work(settings)),
    } as unknown as Cli;
    await synonymsCommand(cli).parseAsync(words, { from: 'user' });
    return said;
  }

  it('checks, lists what maps to nothing, and shows what is published', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-synonyms-'));
    const file = join(directory, 'edit.json');
    try {
      await writeFile(file, '{\n"canonical": ["travel"],\n"synonyms": {"trip": "nowhere"}\n}');
      const bad = await sluice('check', file);
      expect(bad.code).toBe(2);
      expect(bad.out).toMatchObject({
        value: {
          valid: false,
          violations: [{ line: 3, column: 14, path: '/synonyms/trip', message: expect.stringContaining('"nowhere"') }],
        },
        text: expect.stringContaining(`${file}:3:14: /synonyms/trip leads to "nowhere"`),
      });
      expect((await sluice('publish', file, '--reason', 'why')).code).toBe(2);
      expect(await publishedFile(store, 'ulb_gbdt', FILE)).toBeNull();

      await rows({ operation_type: 'Crypto ATM' }, {});
      await writeFile(file, edited({ trip: 'travel' }));
      const good = await sluice('check', file, '--unmapped', '--as-of', '2025-06-30');
      expect(good).toMatchObject({
        code: 0,
        out: {
          value: { valid: true, unmapped: { rows: 2, values: [{ value: 'Crypto ATM', rows: 1 }] } },
          text: expect.stringContaining('1  "Crypto ATM"'),
        },
      });
      expect(await sluice('show')).toMatchObject({ code: 0, errors: expect.stringContaining('models/ulb_gbdt') });
      await publishLookupFile(store, model, LOOKUP, edited({ trip: 'travel' }), by('why not'));
      const shown = await sluice('show');
      expect(shown.errors).toMatch(/published by Zoë on .*: why not/);
      expect(shown.out).toMatchObject({ text: edited({ trip: 'travel' }).toString('utf8') });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
