import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectPath } from '../platform/project.js';
import { quantileOfSorted } from '../domain/lookups/quantile.js';
import { findDisagreement } from '../scoring/bundles/kernel/agreement.js';
import { openTreeImage, readTreeImage, type TreeModels } from '../scoring/bundles/kernel/tree-models.js';
import { makeModels } from './kernel/models.js';
import { openReference } from './kernel/reference.js';
import { say } from './setup.js';

// The tree kernel against ONNX Runtime in the same process, on one bundle's two models: `npm run bench:kernel`. README.md says how.

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', default: projectPath('data', 'bank_transactions_demo.csv.gz') },
    /** a folder that an earlier run has filled */
    models: { type: 'string' },
    rows: { type: 'string', default: '647184' },
    rounds: { type: 'string', default: '7' },
  },
});
const [count, rounds] = [Number(options.rows), Number(options.rounds)];
if (![count, rounds].every((number) => Number.isInteger(number) && number > 0))
  throw new Error('usage: npm run bench:kernel -- [--file CSV.gz | --models DIR] [--rows N] [--rounds N]');

const TARGETS = { microseconds: 8, difference: 1e-6 } as const;
const BATCHES = [1, 32] as const;
const TIMED_ROWS = 19_200;
const EXPLAINED_ROWS = 1_000;

const directory = options.models ?? (await makeModels(options.file));
const read = (name: string): Promise<Buffer> => readFile(join(directory, name));
const [pipeline, anomaly, bytes] = [
  await read('pipeline.onnx'),
  await read('if_pipe.onnx'),
  await read('features.f32'),
];
const features = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const reference = await openReference(pipeline, anomaly);
const { width } = reference;

const { models, loading } = await load();
const agreement = await compare();
const timed = await time();
const figures = Object.fromEntries(
  BATCHES.map((batch) => [
    `batch${batch}`,
    {
      kernel: round(median(timed[batch].kernel)),
      onnxRuntime: round(median(timed[batch].onnxRuntime)),
      ratio: round(median(timed[batch].onnxRuntime.map((theirs, at) => theirs / (timed[batch].kernel[at] ?? NaN)))),
    },
  ]),
);
const pass =
  median(timed[1].kernel) <= TARGETS.microseconds &&
  agreement.score <= TARGETS.difference &&
  agreement.anomaly <= TARGETS.difference;
process.stdout.write(
  `${JSON.stringify({ bench: 'kernel', microsecondsARow: figures, agreement, loadingMs: loading, explainMicroseconds: explain(), targets: TARGETS, pass })}\n`,
);
process.exitCode = pass ? 0 : 1;

/** Opens the models as a scorer does, several times: the first one finds code that was never run. */
async function load(): Promise<{ models: TreeModels; loading: Record<string, number[]> }> {
  const taken: Record<'read' | 'open' | 'agree', number[]> = { read: [], open: [], agree: [] };
  const step = async <T>(name: keyof typeof taken, work: () => T | Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    taken[name].push(round(performance.now() - started));
    return result;
  };
  for (let times = 0; ; times += 1) {
    const image = await step('read', () => readTreeImage({ pipeline, anomaly, width }));
    if ('refused' in image) throw new Error(`the kernel refuses these models: ${image.refused}`);
    const opened = await step('open', () => openTreeImage(image));
    const golden = features.slice(0, 64 * width);
    const said = await step('agree', () => findDisagreement(opened, reference.run, { width, golden, seed: times }));
    if (said !== null) throw new Error(said);
    if (times === 4) return { models: opened, loading: taken };
  }
}

/** Every row through both. A file of fewer rows comes again, with values a little changed. */
async function compare(): Promise<{ rows: number; score: number; anomaly: number; otherDecisions: number }> {
  say(`comparing ${count} rows`);
  const own = features.length / width;
  const slice = 4_096;
  const worst = { rows: count, score: 0, anomaly: 0, otherDecisions: 0 };
  const [scores, anomalies] = [new Float32Array(slice), new Float32Array(slice)];
  for (let start = 0; start < count; start += slice) {
    const rows = Math.min(slice, count - start);
    const part = new Float32Array(rows * width).map((_, index) => {
      const at = start * width + index;
      const again = Math.floor(at / (own * width));
      return (features[at % (own * width)] as number) * (1 + again * 1e-3 * Math.sin(at));
    });
    models.score(part, rows, scores, anomalies);
    const theirs = await reference.run(part);
    for (let row = 0; row < rows; row += 1) {
      const [ours, their] = [scores[row] as number, theirs.scores[row] as number];
      worst.score = Math.max(worst.score, Math.abs(ours - their));
      worst.anomaly = Math.max(worst.anomaly, Math.abs((anomalies[row] as number) - (theirs.anomalies[row] as number)));
      if (ours >= 0.5 !== their >= 0.5) worst.otherDecisions += 1;
    }
  }
  return worst;
}

type Timed = Record<(typeof BATCHES)[number], { kernel: number[]; onnxRuntime: number[] }>;

/** Microseconds a row by round, both contenders one after the other in every round. */
async function time(): Promise<Timed> {
  const timed: Timed = { 1: { kernel: [], onnxRuntime: [] }, 32: { kernel: [], onnxRuntime: [] } };
  for (let at = 0; at <= rounds; at += 1) {
    for (const batch of BATCHES) {
      const kernel = await perRow(batch, kernelRun(batch));
      const onnxRuntime = await perRow(batch, (part) => reference.run(part));
      say(`round ${at}, ${batch} at once: kernel ${kernel.toFixed(2)} µs, ONNX Runtime ${onnxRuntime.toFixed(2)} µs`);
      // the first one warms up
      if (at === 0) continue;
      timed[batch].kernel.push(kernel);
      timed[batch].onnxRuntime.push(onnxRuntime);
    }
  }
  return timed;
}

function kernelRun(batch: number): (part: Float32Array) => void {
  const [scores, anomalies] = [new Float32Array(batch), new Float32Array(batch)];
  return (part) => models.score(part, batch, scores, anomalies);
}

/** Rows from all over the table: neighbours in time are not alike. */
async function perRow(batch: number, run: (part: Float32Array) => unknown): Promise<number> {
  const own = features.length / width - batch;
  const parts = Array.from({ length: TIMED_ROWS / batch }, (_, index) => {
    const from = ((index * 7_919) % own) * width;
    return features.slice(from, from + batch * width);
  });
  const started = performance.now();
  for (const part of parts) {
    const given = run(part);
    if (given instanceof Promise) await given;
  }
  return ((performance.now() - started) * 1_000) / TIMED_ROWS;
}

function explain(): number | null {
  if (models.explain(features, 0) === null) return null;
  const started = performance.now();
  for (let row = 0; row < EXPLAINED_ROWS; row += 1) models.explain(features, row * width);
  return round(((performance.now() - started) * 1_000) / EXPLAINED_ROWS);
}

function median(values: readonly number[]): number {
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
