import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { kernelWasm } from '../../test/support/kernel-wasm.js';
import { randomOf } from '../../test/support/random.js';
import { tinyOnnx, type TinyNode } from '../../test/support/tiny-onnx.js';
import { openTreeModels, type TreeModels } from './kernel/tree-models.js';
import { kernelModels } from './kernel-models.js';
import type { ModelOutput } from './model-output.js';

const WIDTH = 3;
const leaf = (weight: number): TinyNode => ({ weight });
const tree = (feature: number, threshold: number): TinyNode[] => [
  { yes: 1, no: 2, feature, threshold },
  leaf(-threshold),
  leaf(threshold + 1),
];
const trees = Array.from({ length: 40 }, (_, at) => tree(at % WIDTH, at / 40));
const opened = openTreeModels(
  {
    pipeline: tinyOnnx({ kind: 'classifier', width: WIDTH, trees }),
    anomaly: tinyOnnx({ kind: 'regressor', width: WIDTH, trees }),
    width: WIDTH,
  },
  kernelWasm(),
);
if ('refused' in opened) throw new Error(opened.refused);
const kernel: TreeModels = opened;

const random = randomOf(3);
const rowsOf = (count: number): Float32Array => Float32Array.from({ length: count * WIDTH }, () => random());
const inOneGo = (features: Float32Array): ModelOutput => {
  const rows = features.length / WIDTH;
  const output = { scores: new Float32Array(rows), anomalies: new Float32Array(rows) };
  kernel.score(features, rows, output.scores, output.anomalies);
  return output;
};
/** The same kernel, which tells how many rows it was given at once, and may take its time. */
function watched(score: TreeModels['score'] = kernel.score): { models: TreeModels; counts: number[] } {
  const counts: number[] = [];
  return {
    counts,
    models: {
      ...kernel,
      score(...args) {
        counts.push(args[1]);
        score(...args);
      },
    },
  };
}

describe('models that the kernel runs', () => {
  it.each([1, 255, 256])('%i rows are scored in the same tick', (count) => {
    const features = rowsOf(count);
    expect(kernelModels(kernel, WIDTH).run(features)).toEqual(inOneGo(features));
  });

  it.each([257, 512, 1_000, 5_001])('%i rows are scored in slices, and come out as in one go', async (count) => {
    const features = rowsOf(count);
    const { models, counts } = watched();
    const output = kernelModels(models, WIDTH).run(features);
    expect(output).toBeInstanceOf(Promise);
    expect(counts).toEqual([]);
    expect(await output).toEqual(inOneGo(features));
    expect(Math.max(...counts)).toBeLessThanOrEqual(256);
    expect(counts.reduce((sum, rows) => sum + rows)).toBe(count);
  });

  it('between two slices others have their turn, and short lists are not kept waiting', async () => {
    const slow = watched((...args) => {
      const until = performance.now() + 2;
      while (performance.now() < until);
      kernel.score(...args);
    });
    const models = kernelModels(slow.models, WIDTH);
    const one = rowsOf(1);
    let turns = 0;
    let isOver = false;
    const watch = (): void => {
      turns += 1;
      expect((models.run(one) as ModelOutput).scores).toEqual(inOneGo(one).scores);
      if (!isOver) setImmediate(watch);
    };
    setImmediate(watch);
    await models.run(rowsOf(20 * 256));
    isOver = true;
    // the run of one row takes a slice's time here too, so two of each turn
    expect(turns).toBeGreaterThanOrEqual(15);
  });

  it('several long lists take turns, and each has its own answers', async () => {
    const models = kernelModels(kernel, WIDTH);
    const lists = [700, 3_000, 1_100].map(rowsOf);
    const outputs = await Promise.all(lists.map(async (features) => models.run(features)));
    expect(outputs).toEqual(lists.map(inOneGo));
    expect(models.queuedRows).toBe(0);
  });

  it('a list that would wait too long is refused, and the queue is empty afterwards', async () => {
    const models = kernelModels(kernel, WIDTH);
    const first = models.run(rowsOf(60_000));
    expect(models.queuedRows).toBe(60_000);
    expect(() => models.run(rowsOf(1))).toThrow(/60000 rows wait for the models already/);
    await first;
    expect(models.queuedRows).toBe(0);
    const [second, third] = [models.run(rowsOf(49_000)), models.run(rowsOf(1_000))];
    expect(models.queuedRows).toBe(50_000);
    expect(() => models.run(rowsOf(300))).toThrow(expect.objectContaining({ type: 'Unreachable' }));
    await Promise.all([second, third]);
  });

  it.each([1, 1_000])(
    '%i rows with a figure that is not finite are refused whole, and nothing waits then',
    async (count) => {
      const { models } = watched((features, rows, scores, anomalies) => {
        kernel.score(features, rows, scores, anomalies);
        anomalies[rows - 1] = Infinity;
      });
      const run = kernelModels(models, WIDTH);
      await expect((async () => run.run(rowsOf(count)))()).rejects.toMatchObject({ type: 'IntegrityError' });
      expect(run.queuedRows).toBe(0);
    },
  );

  it('a kernel that fails in the middle of a list leaves nothing waiting', async () => {
    let slices = 0;
    const { models } = watched((...args) => {
      slices += 1;
      if (slices === 2) throw new Error('a test');
      kernel.score(...args);
    });
    const run = kernelModels(models, WIDTH);
    await expect(run.run(rowsOf(1_000))).rejects.toThrow('a test');
    expect(run.queuedRows).toBe(0);
    expect(await run.run(rowsOf(1_000))).toMatchObject({ scores: { length: 1_000 } });
  });
});
