import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { openOptions } from '../../test/support/live-tiny-bundle.js';
import { randomOf } from '../../test/support/random.js';
import { tinyOnnx, type TinyEnsemble, type TinyNode } from '../../test/support/tiny-onnx.js';
import { readTreeImage, type TreeImage } from './kernel/tree-models.js';
import { openModels, type ModelOptions, type Models } from './models.js';

const WIDTH = 3;
const stump: TinyNode[] = [{ yes: 1, no: 2, feature: 2, threshold: 0.5 }, { weight: -1 }, { weight: 2 }];
const anomaly = tinyOnnx({ kind: 'regressor', width: WIDTH, trees: [stump], then: ['Exp'] });
const pipeline = tinyOnnx({ kind: 'classifier', width: WIDTH, trees: [stump] });
const rows = new Float32Array(5 * WIDTH).map((_, index) => index - 4);

interface Files {
  pipeline: Uint8Array;
  anomaly: Uint8Array;
  width: number;
}
const good: Files = { pipeline, anomaly, width: WIDTH };
const classifier = (part: Partial<TinyEnsemble>): Files => ({
  ...good,
  pipeline: tinyOnnx({ kind: 'classifier', width: WIDTH, trees: [stump], ...part }),
});
const tree = (...nodes: TinyNode[]): Files => classifier({ trees: [stump, nodes] });

const opened: Models[] = [];
async function open(files: Files, options: Partial<ModelOptions> = {}): Promise<Models> {
  const models = await openModels(files, rows, { ...openOptions, ...options });
  opened.push(models);
  return models;
}
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((models) => models.close()));
});

/** Threads that a test started, by what they were told. */
function spyOnThreads(): { ended: () => number } {
  const ended: number[] = [];
  const original = Worker.prototype.postMessage;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...message) {
    if ((message[0] as { kind: string }).kind === 'close') this.once('exit', (code) => ended.push(code));
    Reflect.apply(original, this, message);
  });
  return { ended: () => ended.length };
}

describe('who runs the models', () => {
  it('the kernel, where it agrees; ONNX Runtime’s thread has ended then', async () => {
    const threads = spyOnThreads();
    const models = await open(good);
    expect([models.engine, models.kernelRefusal, models.healthy]).toEqual(['kernel', null, true]);
    expect(threads.ended()).toBe(1);
    expect(models.run(rows)).not.toBeInstanceOf(Promise);
  });

  it('ONNX Runtime, with the reason, where the kernel refuses', async () => {
    const threads = spyOnThreads();
    const models = await open(tree({ yes: 1, no: 2, threshold: 1e9 }, { weight: null }, { weight: 1 }));
    expect(models.engine).toBe('onnxruntime');
    expect(models.kernelRefusal).toMatch(/pipeline\.onnx: tree 1: the leaf 1 has no weight/);
    // the one that it was compared with; another serves
    expect([models.healthy, threads.ended()]).toEqual([true, 1]);
    expect((await models.run(rows)).scores).toHaveLength(5);
    expect(models.explain(rows, 0)).toBeNull();
    await models.close();
    expect([models.healthy, threads.ended()]).toEqual([false, 2]);
  });

  it.each<[string, (image: TreeImage) => void]>([
    ['a weight', ({ layout }) => new DataView(layout.records.buffer).setFloat32(8, 1.5, true)],
    ['a threshold, by one float', ({ layout }) => nudge(layout.records)],
  ])('ONNX Runtime, where the kernel does not agree: %s is another', async (_what, change) => {
    const readImage: ModelOptions['readImage'] = (files) => {
      const image = readTreeImage(files);
      if ('refused' in image) throw new Error(image.refused);
      change(image);
      return Promise.resolve(image);
    };
    const models = await open(good, { readImage });
    expect(models.engine).toBe('onnxruntime');
    expect(models.kernelRefusal).toMatch(/^it does not agree with ONNX Runtime: row \d+ .*the kernel gives/);
    const reference = await open(good, { readImage: () => Promise.resolve({ refused: 'a test', dangerous: false }) });
    expect((await models.run(rows)).scores).toEqual((await reference.run(rows)).scores);
  });

  it('ONNX Runtime, where the thread that reads the trees fails', async () => {
    // From TypeScript there is no image-thread.js.
    const { readImage: _, ...options } = openOptions;
    const models = await openModels(good, rows, options);
    opened.push(models);
    expect(models.kernelRefusal).toMatch(/^its trees could not be read: /);
    expect((await models.run(rows)).scores).toHaveLength(5);
  });

  it('nobody, where the kernel would and ONNX Runtime would not: a thread that cannot open the files', async () => {
    const image = readTreeImage(good) as TreeImage;
    const readImage = () => Promise.resolve(image);
    await expect(open({ ...good, pipeline: Buffer.from('no model') }, { readImage })).rejects.toMatchObject({
      type: 'IntegrityError',
    });
    await expect(open({ ...good, width: 4 }, { readImage })).rejects.toMatchObject({ type: 'IntegrityError' });
  });
});

/** The first node's threshold, one float32 further. */
function nudge(records: Uint8Array): void {
  const view = new DataView(records.buffer);
  view.setUint32(0, view.getUint32(0, true) + 1, true);
}

/** A chain: at each step, one way ends. */
const chain = (steps: number): TinyNode[] => [
  ...Array.from({ length: steps }, (_, at) => [
    ...(at === 0 ? [] : [{ weight: 1 }]),
    { yes: 2 * at + 1, no: 2 * at + 2, threshold: 1e9 },
  ]).flat(),
  { weight: 1 },
  { weight: 1 },
];

/** Opens the files and scores a few rows: served as ONNX Runtime would, or refused by name. */
async function outcome(files: Files): Promise<string> {
  try {
    const models = await open(files);
    const { scores } = await models.run(rows);
    const reference = await openModels(files, rows, {
      ...openOptions,
      readImage: () => Promise.resolve({ refused: 'a test', dangerous: false }),
    });
    opened.push(reference);
    const expected = (await reference.run(rows)).scores;
    scores.forEach((score, row) => expect(Math.abs(score - (expected[row] as number))).toBeLessThanOrEqual(1e-6));
    return models.engine;
  } catch (error) {
    const { type, message } = error as { type?: string; message: string };
    return `${type}: ${message}`;
  }
}

describe('hostile models are refused by name, or served as ONNX Runtime answers, with ONNX Runtime itself', () => {
  const unopened = /^IntegrityError: the bundle's models cannot be opened: /;
  const unanswered = /^IntegrityError: the models refused the rows: /;
  it.each<[string, RegExp, () => Files]>([
    ['nothing wrong', /^kernel$/, () => good],
    ['a circle', unopened, () => tree({ yes: 1, no: 2 }, { yes: 2, no: 3 }, { yes: 1, no: 3 }, { weight: 1 })],
    ['a root with a parent', unopened, () => tree({ yes: 0, no: 1 }, { weight: 1 })],
    ['a node that leads to itself', unopened, () => tree({ yes: 1, no: 2 }, { yes: 1, no: 2 }, { weight: 1 })],
    ['a child that there is not', unopened, () => tree({ yes: 1, no: 9 }, { weight: 1 })],
    ['a feature out of range', unanswered, () => tree({ ...stump[0], feature: 3 }, ...stump.slice(1))],
    ['a feature far out of range', unanswered, () => tree({ ...stump[0], feature: 2e9 }, ...stump.slice(1))],
    ['a negative feature', unopened, () => tree({ ...stump[0], feature: -1 }, ...stump.slice(1))],
    ['a leaf without weight', /^onnxruntime$/, () => tree({ yes: 1, no: 2 }, { weight: null }, { weight: 1 })],
    [
      'a branch with a weight',
      /^onnxruntime$/,
      () => tree({ ...stump[0], mode: 'BRANCH_LEQ', weight: 1 }, ...stump.slice(1)),
    ],
    ['a threshold that is no number', /^onnxruntime$/, () => tree({ ...stump[0], threshold: NaN }, ...stump.slice(1))],
    ['an unknown mode', /^onnxruntime$/, () => tree({ ...stump[0], mode: 'BRANCH_MEMBER' }, ...stump.slice(1))],
    ['an infinite weight', /^onnxruntime$/, () => tree({ weight: Infinity })],
    ['no tree', unopened, () => classifier({ trees: [] })],
    ['lists of unequal length', unopened, () => classifier({ attributes: { nodes_values: [1] } })],
    ['a weight of no node', unopened, () => classifier({ attributes: { class_nodeids: [1, 7] } })],
    ['a class far out of range', unopened, () => classifier({ attributes: { class_ids: [0, 2_000_000] } })],
    ['nodes with one id', unopened, () => classifier({ attributes: { nodes_nodeids: [0, 1, 1] } })],
    ['a subgraph', unopened, () => classifier({ spoil: 'subgraph' })],
    ['a loop without a body', unopened, () => classifier({ spoil: 'unknownOperator' })],
    ['no graph', unopened, () => classifier({ spoil: 'noGraph' })],
    ['external data', unopened, () => classifier({ then: ['Mul'], spoil: 'externalFile' })],
    ['1,500 steps', /^onnxruntime$/, () => classifier({ trees: [chain(1_500)] })],
    [
      '20,000 steps, under which ONNX Runtime falls',
      /^IntegrityError: .* steps, more than/,
      () => classifier({ trees: [chain(20_000)] }),
    ],
    ['a circle of 20,000', /^IntegrityError: .* steps, more than/, () => classifier({ trees: [ring(20_000)] })],
  ])('%s', async (_what, expected, files) => expect(await outcome(files())).toMatch(expected));

  it('files that end early, and random ones', async () => {
    const whole = readFileSync(projectPath('test', 'fixtures', 'tiny-models', 'a.onnx'));
    const outlying = readFileSync(projectPath('test', 'fixtures', 'tiny-models', 'anomaly.onnx'));
    const random = randomOf(11);
    const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);
    for (let draw = 0; draw < 6; draw += 1) {
      const cut = whole.subarray(0, Math.floor(random() * whole.length));
      for (const bytes of [cut, Buffer.concat([cut, noise(100)]), noise(500)])
        expect(await outcome({ pipeline: bytes, anomaly: outlying, width: 6 })).toMatch(unopened);
    }
  });

  it('files with one byte changed', async () => {
    const random = randomOf(12);
    for (let draw = 0; draw < 25; draw += 1) {
      const damaged = Uint8Array.from(pipeline);
      const at = Math.floor(random() * damaged.length);
      damaged[at] = (damaged[at] as number) ^ (1 + Math.floor(random() * 255));
      expect(await outcome({ ...good, pipeline: damaged }), `byte ${at}`).toMatch(
        /^(kernel$|onnxruntime$|IntegrityError: )/,
      );
    }
  });
});

function ring(steps: number): TinyNode[] {
  return Array.from({ length: steps }, (_, at) => ({ yes: (at + 1) % steps, no: steps - 1 - at, threshold: 1 }));
}
