import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentsOf } from '../prediction-log/documents.js';
import { packed } from '../prediction-log/batch.js';
import { sendTo } from '../../test/support/send.js';
import { tinyApp, tinyDeps, type TinyApp } from '../../test/support/tiny-app.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import type { ScoreResponse } from './api-schemas.js';
import { buildApp } from './app.js';
import type { InferenceError, InferenceResponse, ModelMetadata } from './inference-schemas.js';

interface Tensor {
  name: string;
  datatype: string;
  shape: number[];
  data: unknown[];
  parameters?: Record<string, unknown>;
}

const INFER = '/v2/models/tiny/infer';
const rows = [1, 90, 300].map((amount) => ({ ...tinyTransaction, transaction_id: `a-${amount}`, amount }));
/** As clients send a table: a tensor for each column. */
const columns = (transactions: readonly Record<string, unknown>[]): Tensor[] =>
  Object.keys(tinyTransaction).map((name) => ({
    name,
    datatype: name === 'amount' ? 'FP64' : 'BYTES',
    shape: [transactions.length],
    data: transactions.map((transaction) => transaction[name]),
  }));
const AMOUNT = Object.keys(tinyTransaction).indexOf('amount');

let tiny: TinyApp;
beforeAll(async () => {
  tiny = await tinyApp({ generation: 7 });
});
afterAll(() => tiny.close());

const infer = (body: unknown, path = INFER) => sendTo(tiny.app, JSON.stringify(body), {}, path);
const outputs = (response: InferenceResponse) =>
  Object.fromEntries(response.outputs.map(({ name, data }) => [name, data]));
const withAmount = (change: Partial<Tensor>) =>
  columns(rows).map((tensor, index) => (index === AMOUNT ? { ...tensor, ...change } : tensor));

describe('POST /v2/models/{m}/infer', () => {
  it.each<[string, Tensor[]]>([
    ['a tensor for each field', columns(rows)],
    ['columns of [n, 1]', columns(rows).map((one) => ({ ...one, shape: [3, 1] }))],
    [
      'columns of [n, 1], row by row',
      columns(rows).map((one) => ({ ...one, shape: [3, 1], data: one.data.map((value) => [value]) })),
    ],
    ['integers for numbers', withAmount({ datatype: 'INT64' })],
    [
      'whole transactions as JSON',
      [{ name: 'transactions', datatype: 'BYTES', shape: [3], data: rows.map((row) => JSON.stringify(row)) }],
    ],
  ])('answers %s as /v1/score does', async (_name, inputs) => {
    const response = await infer({ id: 'call-1', inputs });
    expect(response.statusCode, response.body).toBe(200);
    const answer = response.json<InferenceResponse>();
    const { results, versions } = (await sendTo(tiny.app, JSON.stringify(rows))).json<ScoreResponse>();
    expect(answer).toMatchObject({ id: 'call-1', model_name: 'tiny', model_version: versions.model_version });
    expect(answer.parameters).toEqual({
      request_id: response.headers['x-request-id'],
      bundle_version: versions.bundle_version,
      manifest_sha256: versions.manifest_sha256,
      thresholds_sha256: versions.thresholds_sha256,
      generation: 7,
    });
    expect(response.headers['x-bundle-version']).toBe(versions.bundle_version);
    expect(outputs(answer)).toEqual({
      transaction_id: results.map(({ transaction_id: value }) => value),
      score: results.map(({ score }) => score),
      calibrated_probability: results.map(({ calibrated_probability: value }) => value),
      anomaly_score: results.map(({ anomaly_score: value }) => value),
      decision: results.map(({ decision }) => decision),
      threshold: results.map(({ threshold }) => threshold),
    });
    expect(answer.outputs.every(({ shape }) => shape.length === 1 && shape[0] === 3)).toBe(true);
  });

  it('gives the outputs that are asked for, in their order, and no id without one', async () => {
    const response = await infer({ inputs: columns(rows), outputs: [{ name: 'decision' }, { name: 'score' }] });
    const answer = response.json<InferenceResponse>();
    expect(answer.outputs.map(({ name, datatype }) => [name, datatype])).toEqual([
      ['decision', 'BYTES'],
      ['score', 'FP64'],
    ]);
    expect(answer).not.toHaveProperty('id');
  });

  it('writes the transactions down as those of /v1/score', async () => {
    const logged = async (send: () => Promise<unknown>) => {
      const before = tiny.offered.length;
      await send();
      const documents = documentsOf(packed(tiny.offered.slice(before)), { environment: 'e', replica: 'r' });
      return documents.map(({ _id, request_id, scored_at, ...rest }) => rest);
    };
    const asTensors = await logged(() => infer({ inputs: columns(rows) }));
    expect(asTensors).toHaveLength(3);
    expect(asTensors).toEqual(await logged(() => sendTo(tiny.app, JSON.stringify(rows))));
  });

  it('is counted once, in a group of its own', async () => {
    const count = async (status: number) => {
      const { body } = await tiny.app.inject('/metrics');
      const line = body.split('\n').find((one) => one.includes(`requests_total{route="inference",status="${status}"}`));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const before = await Promise.all([200, 400, 404].map(count));
    await infer({ inputs: columns(rows) });
    await infer({ inputs: [] });
    await infer({ inputs: columns(rows) }, '/v2/models/other/infer');
    const after = await Promise.all([200, 400, 404].map(count));
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([1, 1, 1]);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], 'must be an inference request'],
    ['no inputs', {}, '/inputs must be a list'],
    ['no tensor', { inputs: [] }, '/inputs must be a list of at least one'],
    ['a tensor that is none', { inputs: [5] }, '/inputs/0 must be a tensor'],
    ['an id that is no text', { id: 5, inputs: columns(rows) }, '/id must be a text'],
    ['a field that no transaction has', { inputs: withAmount({ name: 'colour' }) }, '/inputs/3/name is "colour"'],
    ['__proto__', { inputs: withAmount({ name: '__proto__' }) }, '/inputs/3/name is "__proto__"'],
    ['a field twice', { inputs: withAmount({ name: 'currency', datatype: 'BYTES' }) }, '/inputs/4/name is "currency"'],
    ['a field too few', { inputs: columns(rows).slice(1) }, '/inputs has no tensor "transaction_id"'],
    ['too many tensors', { inputs: [...columns(rows), ...columns(rows)] }, '/inputs has 14 tensors'],
    ['texts for numbers', { inputs: withAmount({ datatype: 'BYTES' }) }, '/inputs/3/datatype is BYTES'],
    ['a scalar', { inputs: withAmount({ shape: [] }) }, '/inputs/3/shape must be [n] or [n, 1]'],
    ['a matrix', { inputs: withAmount({ shape: [3, 2] }) }, '/inputs/3/shape must be [n] or [n, 1]'],
    ['no row', { inputs: withAmount({ shape: [0], data: [] }) }, '/inputs/3/shape must be'],
    ['a row too few', { inputs: withAmount({ data: [1, 2] }) }, '/inputs/3/data has 2 values, and the shape says 3'],
    ['columns of two lengths', { inputs: withAmount({ shape: [2], data: [1, 2] }) }, '/inputs/3/shape is of 2 rows'],
    [
      'rows of two values',
      { inputs: withAmount({ shape: [3, 1], data: [[1, 2], [3], [4]] }) },
      '/inputs/3/data has a row that is not of one value',
    ],
    ['no data', { inputs: withAmount({ data: undefined as never }) }, '/inputs/3/data must be a list'],
    [
      'binary data',
      { inputs: withAmount({ parameters: { binary_data_size: 24 } }) },
      '/inputs/3/parameters/binary_data_size is not taken',
    ],
    [
      'an output that there is not',
      { inputs: columns(rows), outputs: [{ name: 'reasons' }] },
      '/outputs/0/name is "reasons"; there are transaction_id, score',
    ],
    [
      'too many rows',
      { inputs: columns(Array.from({ length: 51 }, () => tinyTransaction)) },
      '/inputs/0/shape is of 51 rows; at most 50',
    ],
    [
      'a text that is no JSON',
      { inputs: [{ name: 'transactions', datatype: 'BYTES', shape: [1], data: ['{'] }] },
      '/inputs/0/data/0 the text is not JSON',
    ],
    [
      'a text with a key twice',
      { inputs: [{ name: 'transactions', datatype: 'BYTES', shape: [1], data: ['{"a":1,"a":2}'] }] },
      '/inputs/0/data/0 the text has an object with the same key twice',
    ],
    [
      'texts beside columns',
      {
        inputs: [
          { name: 'transactions', datatype: 'BYTES', shape: [3], data: ['', '', ''] },
          ...columns(rows).slice(1),
        ],
      },
      '/inputs/0 "transactions" holds whole transactions',
    ],
  ])('refuses %s with 400 and the path', async (_name, body, message) => {
    const response = await infer(body);
    expect(response.statusCode, response.body).toBe(400);
    const { error, type, request_id: id } = response.json<InferenceError>();
    expect(error).toContain(message);
    expect({ type, id }).toEqual({ type: 'InvalidInput', id: response.headers['x-request-id'] });
  });

  it('leaves values to the bundle’s request schema, and names their place in the tensors', async () => {
    const response = await infer({ inputs: withAmount({ data: [1, -1, null] }) });
    expect(response.statusCode).toBe(422);
    const { error, violations } = response.json<InferenceError>();
    expect(violations?.map(({ path }) => path)).toEqual(['/inputs/3/data/1', '/inputs/3/data/2']);
    expect(error).toContain('/inputs/3/data/1 must be >= 0');
    const inTexts = [
      { name: 'transactions', datatype: 'BYTES', shape: [1], data: [JSON.stringify({ ...rows[0], amount: 'x' })] },
    ];
    const refused = (await infer({ inputs: inTexts })).json<InferenceError>();
    expect(refused.violations?.map(({ path }) => path)).toEqual(['/inputs/0/data/0/amount']);
  });

  it('is of the live model and version', async () => {
    expect((await infer({ inputs: columns(rows) }, '/v2/models/tiny/versions/1/infer')).statusCode).toBe(200);
    const other = await infer({ inputs: columns(rows) }, '/v2/models/tiny/versions/9/infer');
    expect(other.statusCode).toBe(404);
    expect(other.json<InferenceError>().error).toBe('version "9" of tiny is not live; it is 1');
    expect((await infer({ inputs: columns(rows) }, '/v2/models/big/infer')).statusCode).toBe(404);
  });

  it('takes JSON that says nothing of its type, as such clients send it, and no other type', async () => {
    const body = JSON.stringify({ inputs: columns(rows) });
    for (const type of ['application/octet-stream', undefined])
      expect((await sendTo(tiny.app, body, { 'content-type': type }, INFER)).statusCode).toBe(200);
    const binary = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '5' };
    const refused = await sendTo(tiny.app, body, binary, INFER);
    expect(refused.statusCode).toBe(400);
    expect(refused.json<InferenceError>().error).toMatch(/^binary tensors are not taken/);
    expect((await sendTo(tiny.app, 'x'.repeat(200_000), binary, INFER)).statusCode).toBe(413);
    const response = await sendTo(tiny.app, body, { 'content-type': 'text/plain' }, INFER);
    expect(response.statusCode).toBe(415);
    expect(response.json<InferenceError>().error).toBe('the content type must be application/json');
  });
});

describe('/v2', () => {
  it('says what the server and its model are', async () => {
    expect((await tiny.app.inject('/v2')).json()).toEqual({ name: 'sluice', version: '1', extensions: [] });
    expect((await tiny.app.inject('/v2/health/live')).json()).toEqual({ live: true });
    expect((await tiny.app.inject('/v2/health/ready')).json()).toEqual({ ready: true });
    expect((await tiny.app.inject('/v2/models/tiny/ready')).json()).toEqual({ name: 'tiny', ready: true });
    const metadata = (await tiny.app.inject('/v2/models/tiny')).json<ModelMetadata>();
    expect(metadata).toMatchObject({ name: 'tiny', versions: ['1'], platform: 'sluice' });
    expect(metadata.inputs.map(({ name, datatype }) => [name, datatype]).sort()).toEqual(
      columns(rows)
        .map(({ name, datatype }) => [name, datatype])
        .sort(),
    );
    expect(metadata.outputs).toContainEqual({ name: 'score', datatype: 'FP64', shape: [-1] });
    expect((await tiny.app.inject('/v2/models/tiny/versions/1')).json()).toEqual(metadata);
    for (const path of ['/v2/models/big', '/v2/models/big/ready', '/v2/models/tiny/versions/2'])
      expect((await tiny.app.inject(path)).statusCode).toBe(404);
  });

  it('is not ready without a bundle', async () => {
    const deps = tinyDeps();
    const empty = await buildApp({
      ...deps,
      view: { ...deps.view, state: async () => ({ ...(await deps.view.state()), ready: false }) },
    });
    for (const path of ['/v2/health/ready', '/v2/models/tiny/ready', '/v2/models/tiny'])
      expect((await empty.inject(path)).statusCode).toBe(503);
    expect((await empty.inject('/v2/health/live')).statusCode).toBe(200);
    const refused = await empty.inject({
      method: 'POST',
      url: INFER,
      headers: { 'content-type': 'application/json' },
      payload: '{}',
    });
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json<InferenceError>().error).toMatch(/no bundle yet/);
    await empty.close();
  });
});
