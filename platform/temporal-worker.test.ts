import type { MetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { MongoNetworkError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { located, SluiceError } from './errors.js';
import { explainMongo } from './mongo.js';
import { activityInterceptors } from './temporal-worker.js';

type Execute = (input: never, next: () => Promise<unknown>) => Promise<unknown>;

/** How an activity ends that does this, behind the interceptors. */
function run(
  work: () => Promise<unknown>,
  {
    where,
    environment = new MockActivityEnvironment(),
  }: { where?: string; environment?: MockActivityEnvironment } = {},
): Promise<unknown> {
  const [factory] = activityInterceptors((error) => explainMongo(error, 'db:27017'), where).activity ?? [];
  const { inbound } = (factory as unknown as (context: object) => { inbound: { execute: Execute } })({});
  return environment.run(() => inbound.execute(undefined as never, work)).catch((error: unknown) => error);
}

describe('the interceptors around every activity', () => {
  it('let a result pass', async () => expect(await run(() => Promise.resolve(7))).toBe(7));

  it('give an error its type, and begin its message with the process', async () => {
    const failure = await run(() => Promise.reject(new SluiceError('Superseded', 'newer')), { where: 'replica a' });
    expect(failure).toMatchObject({ type: 'Superseded', message: 'replica a: newer', nonRetryable: true });
  });

  it('measure it, by how it ended', async () => {
    const outcomes: unknown[] = [];
    const histogram = { record: (_seconds: number, tags: { outcome: string }) => outcomes.push(tags.outcome) };
    const metricMeter = { createHistogram: () => histogram } as unknown as MetricMeter;
    const measured = () => new MockActivityEnvironment({}, { metricMeter });
    const cancelled = measured();
    await run(() => Promise.resolve(7), { environment: measured() });
    await run(() => Promise.reject(new SluiceError('NoData', 'none')), { environment: measured() });
    await run(() => Promise.reject(new MongoNetworkError('connection reset')), { environment: measured() });
    await run(() => (cancelled.cancel(), Promise.reject(new Error('stopped'))), { environment: cancelled });
    expect(outcomes).toEqual(['ok', 'NoData', 'Unreachable', 'cancelled']);
  });

  it("say which MongoDB an error of MongoDB's is of", async () => {
    expect(await run(() => Promise.reject(new MongoNetworkError('connection reset')))).toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
      message: expect.stringMatching(/^MongoDB at db:27017 cannot be reached: connection reset/) as string,
    });
  });

  it("do not take another server's refusal for MongoDB's", async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8080'), { code: 'ECONNREFUSED' });
    const failure = await run(() => located('smoke of scorer-0', () => Promise.reject(refused)));
    expect(failure).toMatchObject({
      type: 'Unreachable',
      message: 'smoke of scorer-0: connect ECONNREFUSED 127.0.0.1:8080',
    });
  });

  it('keep the type of a failure that says where it happened', async () => {
    const failure = await run(
      () => located('smoke of scorer-0', () => Promise.reject(new SluiceError('SmokeFailed', 'wrong', { vector: 3 }))),
      { where: 'worker' },
    );
    expect(failure).toMatchObject({
      type: 'SmokeFailed',
      message: 'worker: smoke of scorer-0: wrong',
      nonRetryable: true,
      details: [{ vector: 3 }],
    });
  });

  it('leave the error of a cancelled activity alone', async () => {
    const environment = new MockActivityEnvironment();
    const mine = new Error('stopped');
    const failure = await run(
      () => {
        environment.cancel();
        return Promise.reject(mine);
      },
      { environment },
    );
    expect(failure).toBe(mine);
  });
});
