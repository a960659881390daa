import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { onnxThreadFile } from '../../../test/support/onnx-thread.js';
import { projectPath } from '../../../platform/project.js';
import { type ModelRunner, type ModelRunnerOptions, startModelRunner } from './model-runner.js';

const bytes = (name: string) => readFileSync(projectPath('test', 'fixtures', 'tiny-models', `${name}.onnx`));
const models = { pipeline: bytes('a'), anomaly: bytes('anomaly'), width: 6 };
const started: ModelRunner[] = [];

async function runner(overrides: Partial<ModelRunnerOptions> = {}): Promise<ModelRunner> {
  const made = await startModelRunner({
    models,
    log: pino({ level: 'silent' }),
    threadFile: onnxThreadFile(),
    ...overrides,
  });
  started.push(made);
  return made;
}
const row = (amount: number) => Float32Array.from([amount, 1, 0.001, 12, 3, 1]);

/** Every worker that a test's runner starts, newest last, so that the test can kill it. */
function spyOnWorkers(): Worker[] {
  const seen: Worker[] = [];
  const original = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
    this: Worker,
    message: unknown,
    transfer?: readonly unknown[],
  ) {
    if (seen.at(-1) !== this) seen.push(this);
    Reflect.apply(original, this, [message, transfer]);
  });
  return seen;
}

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(started.splice(0).map((made) => made.close()));
});

describe('model runner', () => {
  it('gives each caller the scores of its own rows, however they were batched', async () => {
    const subject = await runner({ maxBatchRows: 7 });
    const alone = [];
    for (let amount = 0; amount < 20; amount += 1) alone.push((await subject.run(row(amount))).scores[0]);
    const together = await Promise.all(alone.map((_, amount) => subject.run(row(amount))));
    expect(together.map((output) => output.scores[0])).toEqual(alone);
    const list = await subject.run(Float32Array.from(alone.flatMap((_, amount) => [...row(amount)])));
    expect([...list.scores]).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(3);
    expect([...list.anomalies].every(Number.isFinite)).toBe(true);
  });

  it('refuses models that cannot be opened or take another number of features', async () => {
    await expect(runner({ models: { ...models, pipeline: Buffer.from('no model') } })).rejects.toThrow(
      /cannot be opened/,
    );
    await expect(runner({ models: { ...models, width: 5 } })).rejects.toThrow(
      /takes 6 features, the feature registry has 5/,
    );
    await expect(runner({ models: { ...models, anomaly: models.pipeline } })).rejects.toThrow(
      /must take "features" and give "anomaly_score"/,
    );
  });

  it('replaces a thread that died and answers the rows that were under way', async () => {
    const workers = spyOnWorkers();
    const subject = await runner();
    const before = (await subject.run(row(3))).scores[0];
    const pending = Array.from({ length: 5 }, () => subject.run(row(3)));
    void workers[0]?.terminate();
    for (const output of await Promise.all(pending)) expect(output.scores[0]).toBe(before);
    expect(workers).toHaveLength(2);
    expect(subject.healthy).toBe(true);
  });

  it('finishes what is under way before it closes, and refuses what comes after', async () => {
    const subject = await runner({ maxBatchRows: 1 });
    const pending = Array.from({ length: 50 }, () => subject.run(row(1)));
    const closed = subject.close();
    await expect(subject.run(row(1))).rejects.toThrow(/being closed/);
    await Promise.all(pending);
    await closed;
    expect(subject.healthy).toBe(false);
  });

  it('refuses rows when too many wait', async () => {
    const subject = await runner({ maxQueuedRows: 2 });
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => subject.run(row(1))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });

  it('refuses values that are no whole rows', async () => {
    await expect((await runner()).run(new Float32Array(7))).rejects.toThrow(/not a multiple of/);
  });
});
