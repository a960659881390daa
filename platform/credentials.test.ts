import { Writable } from 'node:stream';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createOutput } from '../client/output.js';
import { withoutCredentials } from './credentials.js';
import { SluiceError, toFailure } from './errors.js';
import { createHttp } from './http.js';
import { createLog } from './log.js';
import { createMlflowClient } from './mlflow.js';
import { mongoAddress } from './mongo.js';
import { createObjectStore } from './object-store.js';
import { workflowPage } from './temporal.js';

const SECRET = 'pa55@word';
/** Nobody listens on port 1. */
const ADDRESS = `http://sluice:${SECRET}@127.0.0.1:1`;

const failureOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => expect.fail('nobody listens there'),
    (error: unknown) => JSON.stringify([String(error), error, toFailure(error, `a server at ${ADDRESS}`)]),
  );

describe('credentials in addresses', () => {
  it.each([
    ['http://user:password@host:9000/path', 'http://host:9000/path'],
    ['mongodb+srv://user:p%40ss@a.example,b.example/?x=1', 'mongodb+srv://a.example,b.example/?x=1'],
    ['at http://http://user:password@host', 'at http://http://host'],
    [`two: ${ADDRESS}/a and "https://token@host"`, 'two: http://127.0.0.1:1/a and "https://host"'],
    ['http://host/path@version', 'http://host/path@version'],
    ['write to ada@example.org', 'write to ada@example.org'],
  ])('%s', (text, without) => {
    expect(withoutCredentials(text)).toBe(without);
  });

  it('are in no error of S3, MLflow or any HTTP server that is away', async () => {
    const store = createObjectStore({
      endpoint: ADDRESS,
      region: 'us-east-1',
      bucket: 'b',
      accessKeyId: 'k',
      secretAccessKey: 's',
    });
    const http = createHttp({ system: 'a server', baseUrl: ADDRESS, setting: 'X', timeoutMs: 1_000 });
    const mlflow = createMlflowClient(ADDRESS);
    expect([store.endpoint, mlflow.address]).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:1']);
    for (const said of [
      await failureOf(store.get('key')),
      await failureOf(mlflow.getRun('r')),
      await failureOf(http.get('/')),
    ]) {
      expect(said).toContain('127.0.0.1:1');
      expect(said).not.toMatch(/pa55|word@/);
    }
    store.close();
  });

  it('are in no failure, whoever worded it, and in no page of the Temporal UI', () => {
    expect(new SluiceError('Unreachable', `at ${ADDRESS}`).message).toBe('at http://127.0.0.1:1');
    for (const error of [
      new Error(`connect to ${ADDRESS}`),
      Object.assign(new Error(ADDRESS), { code: 'ECONNREFUSED' }),
    ])
      expect(toFailure(error, `Temporal at ${ADDRESS}`)).toMatchObject({
        message: expect.not.stringContaining(SECRET) as string,
      });
    expect(toFailure(ApplicationFailure.create({ message: 'as it is' })).message).toBe('as it is');
    const settings = { TEMPORAL_ADDRESS: ADDRESS, TEMPORAL_NAMESPACE: 'default', TEMPORAL_UI_URL: '' };
    expect(workflowPage(settings, 'w')).toContain('127.0.0.1:1');
    expect(workflowPage(settings, 'w')).not.toContain(SECRET);
    expect(mongoAddress(`mongodb://u:${SECRET}@host:1/?x`)).not.toContain('word');
  });

  it('are in no line of the log and of the client', () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    }) as NodeJS.WriteStream;
    const log = createLog('test', 'info', stream);
    log.warn({ err: new Error(`at ${ADDRESS}`, { cause: new Error(ADDRESS) }), address: ADDRESS }, `no ${ADDRESS}`);
    for (const json of [false, true]) {
      const output = createOutput({ json, stdout: stream, stderr: stream, dumb: true });
      output.line(ADDRESS);
      output.error(ADDRESS);
      output.result({ address: ADDRESS }, () => ADDRESS);
    }
    expect(lines).toHaveLength(6);
    for (const line of lines) {
      expect(line).toContain('127.0.0.1:1');
      expect(line).not.toMatch(/pa55|word@/);
    }
  });
});
