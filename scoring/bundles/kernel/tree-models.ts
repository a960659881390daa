import { DangerousFile } from './depth.js';
import { Refusal } from './messages.js';
import { type ModelFiles, readEnsembles, type TreeEnsemble } from './tree-ensemble.js';
import { type Layout, layOut, MAX_WIDTH } from './tree-layout.js';
import { compileExplanation, type Explanation } from './tree-shap.js';
import { type Tree, treesOf } from './trees.js';
import { loadWalker, type TreeWalker, type WasmSource } from './tree-walker.js';

/** Both models of a bundle, on the caller's thread. */
export interface TreeModels {
  /**
   * Scores rows (row by row, `width` values each) into the two arrays, which have at least `rows` places: the score is the raw
   * probability of the second class, the anomaly score as the forest gives it. It does not look whether a figure is finite.
   * It works in tiles of bounded memory, but in one go: at some 5 µs a row, a caller who must not block longer than 5 ms hands over
   * no more than 500 rows at once.
   */
  score(features: Float32Array, rows: number, scores: Float32Array, anomalies: Float32Array): void;
  /**
   * What each feature of the row at `offset` adds to the classifier's margin (log-odds before the logistic function), by exact
   * TreeSHAP along the trees' paths; with the base value they add up to it. Null where the file has no counts of training rows.
   */
  explain(features: Float32Array, offset: number): Explanation | null;
  /** all trees as read, for rows that come to their thresholds */
  readonly trees: readonly Tree[];
}

/** Both files read and laid out: nothing but numbers, so that a thread may make it and send it to another. */
export interface TreeImage {
  width: number;
  ensembles: readonly [TreeEnsemble, TreeEnsemble];
  layout: Layout;
}

/** Why there is no image. */
export interface RefusedImage {
  refused: string;
  /** ONNX Runtime must not open the file either: it would take the process down */
  dangerous?: boolean;
}

/**
 * Reads both files and lays their trees out: tens of milliseconds of computing, which a thread beside the one that serves should do.
 * What the kernel cannot compute as ONNX Runtime does is refused, with the reason; the bundle is then served by ONNX Runtime.
 */
export function readTreeImage(models: ModelFiles): TreeImage | RefusedImage {
  const { width } = models;
  try {
    if (!(Number.isInteger(width) && width > 0 && width <= MAX_WIDTH))
      throw new Refusal(`rows of ${width} features are not taken`);
    const ensembles = readEnsembles(models);
    return {
      width,
      ensembles,
      layout: layOut(
        ensembles.flatMap(({ trees }) => treesOf(trees)),
        width,
      ),
    };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message, dangerous: error instanceof DangerousFile };
    throw error;
  }
}

/**
 * The kernel with an image in its memory, in about a millisecond. The memory has one size from the start and goes when the object is
 * dropped; there is nothing to close.
 * @param wasm the kernel's code, or where it lies; without it, the file beside this one, as built
 */
export function openTreeImage({ width, ensembles, layout }: TreeImage, wasm?: WasmSource): TreeModels {
  const [classifier] = ensembles;
  const walker = loadWalker({ layout, width, firstTrees: classifier.trees.shared.length }, wasm);
  let explain: TreeModels['explain'] | null = null;
  return {
    trees: ensembles.flatMap(({ trees }) => treesOf(trees)),
    score: scoring(ensembles, walker, width),
    // made for the first row that asks: most bundles are never asked
    explain: (features, offset) => (explain ??= compileExplanation(classifier, width))(features, offset),
  };
}

/** Both of the above at once, for where nobody waits. */
export function openTreeModels(models: ModelFiles, wasm?: WasmSource): TreeModels | { refused: string } {
  const image = readTreeImage(models);
  return 'refused' in image ? image : openTreeImage(image, wasm);
}

function scoring([classifier, forest]: TreeImage['ensembles'], walker: TreeWalker, width: number): TreeModels['score'] {
  const { tile, firstSums, secondSums } = walker;
  const [scoreOf, anomalyOf] = [finish(classifier), finish(forest)];
  return (features, rows, scores, anomalies) => {
    if (features.length < rows * width)
      throw new RangeError(`${features.length} values are not ${rows} rows of ${width}`);
    for (let start = 0; start < rows; start += tile) {
      const count = Math.min(tile, rows - start);
      walker.walk(features, start * width, count);
      for (let row = 0; row < count; row += 1) {
        scores[start + row] = scoreOf(firstSums[row] as number);
        anomalies[start + row] = anomalyOf(secondSums[row] as number);
      }
    }
  };
}

/** What is made of a float32 sum: the last steps in float64, rounded when stored. */
function finish({ divisor, base, transform }: TreeEnsemble): (sum: number) => number {
  const shifted = (sum: number): number => Math.fround(Math.fround(sum / divisor) + base);
  if (transform === 'logistic') return (sum) => 1 / (1 + Math.exp(-shifted(sum)));
  if (transform === 'exponential') return (sum) => Math.exp(shifted(sum));
  return shifted;
}
