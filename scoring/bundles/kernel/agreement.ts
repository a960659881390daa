import { above, below } from './floats.js';
import type { TreeModels } from './tree-models.js';
import { after, holds, MODE, type Tree } from './trees.js';

/** ONNX Runtime's answers, by row. The array's buffer may be transferred. */
export type ReferenceRun = (features: Float32Array) => Promise<{ scores: Float32Array; anomalies: Float32Array }>;

export interface AgreementOptions {
  /** features a row */
  width: number;
  /** rows with known answers, row by row; may be empty */
  golden: Float32Array;
  seed?: number;
}

/** Two figures further apart than this are not the same model's. */
export const AGREEMENT_TOLERANCE = 1e-6;
/** rows with values anywhere in the range of the thresholds */
const RANDOM_ROWS = 800;
/** rows that lead to a node and have its threshold, or the float before or after it */
const THRESHOLD_ROWS = 1_300;
const ROWS_A_SLICE = 64;
/** of random values: one in so many is missing */
const MISSING_ONE_IN = 50;

/**
 * Compares the kernel with ONNX Runtime: on the golden rows, on random ones, and on rows that lead to random nodes and lie within one
 * float32 of their thresholds. The same seed makes the same rows.
 * @returns null when every figure agrees, else a sentence with the first row that does not
 */
export async function findDisagreement(
  models: TreeModels,
  run: ReferenceRun,
  { width, golden, seed = 1 }: AgreementOptions,
): Promise<string | null> {
  const makeRow = rowMaker(models.trees, width, golden, seed);
  const rows = golden.length / width + RANDOM_ROWS + THRESHOLD_ROWS;
  // in slices, so that a thread that serves meanwhile is not held up
  for (let start = 0; start < rows; start += ROWS_A_SLICE) {
    const count = Math.min(ROWS_A_SLICE, rows - start);
    const slice = new Float32Array(count * width);
    for (let row = 0; row < count; row += 1) makeRow(start + row, slice.subarray(row * width, (row + 1) * width));
    const [scores, anomalies] = [new Float32Array(count), new Float32Array(count)];
    models.score(slice, count, scores, anomalies);
    const reference = await run(slice.slice());
    for (let row = 0; row < count; row += 1) {
      for (const [figure, ours, theirs] of [
        ['score', scores[row], reference.scores[row]],
        ['anomaly score', anomalies[row], reference.anomalies[row]],
      ] as const) {
        // Written so that NaN does not pass.
        if (Math.abs((ours ?? NaN) - (theirs ?? NaN)) <= AGREEMENT_TOLERANCE) continue;
        const values = [...slice.subarray(row * width, (row + 1) * width)].join(', ');
        return `row ${start + row} (${values}): the kernel gives ${figure} ${ours}, ONNX Runtime ${theirs}`;
      }
    }
  }
  return null;
}

/** Fills in row by row, in order: the golden ones, random ones, then those at thresholds. */
function rowMaker(
  trees: readonly Tree[],
  width: number,
  golden: Float32Array,
  seed: number,
): (row: number, into: Float32Array) => void {
  const random = randomOf(seed);
  const draw = drawOf(trees, width, random);
  const known = golden.length / width;
  const goldenRow = (row: number): Float32Array => golden.subarray(row * width, (row + 1) * width);
  return (row, into) => {
    if (row < known) return into.set(goldenRow(row));
    const isAtThreshold = row >= known + RANDOM_ROWS;
    // half of those at thresholds are golden rows otherwise: where real rows are
    if (isAtThreshold && known > 0 && row % 2 === 0) into.set(goldenRow(Math.floor(random() * known)));
    else for (let feature = 0; feature < width; feature += 1) into[feature] = draw(feature);
    const tree = trees[Math.floor(random() * trees.length)];
    if (isAtThreshold && tree !== undefined) steer(tree, into, random);
  };
}

/** Values from a little below a feature's smallest threshold to a little above its largest. */
function drawOf(trees: readonly Tree[], width: number, random: () => number): (feature: number) => number {
  const low = new Float64Array(width).fill(Infinity);
  const high = new Float64Array(width).fill(-Infinity);
  for (const { size, modes, features, thresholds } of trees) {
    for (let node = 0; node < size; node += 1) {
      if (modes[node] === MODE.LEAF || thresholds[node] === Infinity) continue;
      const [feature, threshold] = [features[node] as number, thresholds[node] as number];
      low[feature] = Math.min(low[feature] as number, threshold);
      high[feature] = Math.max(high[feature] as number, threshold);
    }
  }
  return (feature) => {
    if (random() * MISSING_ONE_IN < 1) return NaN;
    const [from, to] = [low[feature] as number, high[feature] as number];
    if (from > to) return random();
    const margin = (to - from) / 10 + 1;
    return from - margin + random() * (to - from + 2 * margin);
  };
}

/** Changes a row so that it takes a random way down a tree, and stands at the threshold of the way's last branch. */
function steer(tree: Tree, values: Float32Array, random: () => number): void {
  const stop = Math.floor(random() * 12);
  let node = 0;
  for (let step = 0; tree.modes[node] !== MODE.LEAF; step += 1) {
    const feature = tree.features[node] as number;
    const threshold = tree.thresholds[node] as number;
    const near = [threshold, above(threshold), below(threshold)];
    const next = random() < 0.5 ? tree.yes[node] : tree.no[node];
    const ends = step === stop || tree.modes[next as number] === MODE.LEAF;
    if (ends) {
      values[feature] = near[Math.floor(random() * near.length)] as number;
      return;
    }
    // a value that leads there already stays, for nodes above this one may need it
    const leads = (value: number) => (holds(tree, node, value) ? tree.yes[node] : tree.no[node]) === next;
    if (!leads(values[feature] as number)) values[feature] = near.find(leads) ?? threshold;
    node = after(tree, node, values[feature] as number);
  }
}

/** From 0 up to 1, the same for the same seed (a linear congruential generator is enough to spread rows). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
