import type { TreeEnsemble } from './tree-ensemble.js';
import { holds, MODE, type Tree, treesOf } from './trees.js';

/** A row's margin, taken apart. */
export interface Explanation {
  /** the margin that the training rows have on average */
  baseValue: number;
  /** by feature; with the base value they add up to the margin */
  contributions: Float64Array;
}

/** How far from whole the counts may be, as float32 holds them. */
const COUNT_TOLERANCE = 1e-6;
const NO_FEATURE = -1;

/**
 * Exact SHAP values of a sum of trees, where a feature that is not known goes both ways by the training rows' shares: algorithm 2 of
 * Lundberg, Erion and Lee, "Consistent Individualized Feature Attribution for Tree Ensembles" (2018), as LightGBM's `pred_contrib`.
 * @returns a function that answers null for every row where the file has no counts that add up
 */
export function compileExplanation(
  { trees: columns, base, divisor }: TreeEnsemble,
  width: number,
): (features: Float32Array, offset: number) => Explanation | null {
  const trees = treesOf(columns);
  if (!trees.every(hasCounts)) return () => null;
  const means = trees.reduce((sum, tree) => sum + meanOf(tree), 0);
  const baseValue = means / divisor + base;
  const paths = new Paths(
    trees.reduce((deepest, tree) => Math.max(deepest, depthOf(tree)), 0),
    width,
  );
  return (features, offset) => {
    const contributions = new Float64Array(width);
    for (const tree of trees) paths.explain(tree, features, offset, contributions);
    for (let feature = 0; feature < width; feature += 1)
      contributions[feature] = (contributions[feature] as number) / divisor;
    return { baseValue, contributions };
  };
}

/** Whether every node is reached by one way, and every branch's rows are its children's together. */
function hasCounts({ covers, shared, size, modes, yes, no }: Tree): boolean {
  if (covers === null || shared) return false;
  for (let node = 0; node < size; node += 1) {
    const own = covers[node] as number;
    if (!Number.isFinite(own) || own < 0) return false;
    if (modes[node] === MODE.LEAF) continue;
    const both = (covers[yes[node] as number] as number) + (covers[no[node] as number] as number);
    if (!(own > 0 && Math.abs(both - own) <= COUNT_TOLERANCE * own)) return false;
  }
  return true;
}

function depthOf({ size, modes, yes, no }: Tree): number {
  const depth = new Uint32Array(size);
  let deepest = 0;
  const open = [0];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    deepest = Math.max(deepest, depth[node] as number);
    if (modes[node] === MODE.LEAF) continue;
    for (const child of [yes[node] as number, no[node] as number]) {
      depth[child] = (depth[node] as number) + 1;
      open.push(child);
    }
  }
  return deepest;
}

/** A tree's weight as its training rows have it on average. */
function meanOf({ size, modes, weights, covers, yes, no }: Tree): number {
  const share = new Float64Array(size);
  share[0] = 1;
  let mean = 0;
  const open = [0];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (modes[node] === MODE.LEAF) {
      mean += (share[node] as number) * (weights[node] as number);
      continue;
    }
    for (const child of [yes[node] as number, no[node] as number]) {
      share[child] = ((share[node] as number) * (covers?.[child] ?? 0)) / (covers?.[node] ?? 1);
      open.push(child);
    }
  }
  return mean;
}

/**
 * The path from the root to where the walk is, one entry a feature: the share of unknown rows that go this way (`zero`), whether this
 * row goes it (`one`), and the weights of subsets by size. Every depth has its own copy, at `depth * stride`.
 */
class Paths {
  readonly #stride: number;
  readonly #features: Int32Array;
  readonly #zero: Float64Array;
  readonly #one: Float64Array;
  readonly #weights: Float64Array;

  constructor(depth: number, width: number) {
    this.#stride = Math.min(depth, width) + 2;
    const entries = (depth + 2) * this.#stride;
    this.#features = new Int32Array(entries);
    this.#zero = new Float64Array(entries);
    this.#one = new Float64Array(entries);
    this.#weights = new Float64Array(entries);
  }

  explain(tree: Tree, features: Float32Array, offset: number, into: Float64Array): void {
    this.#extend(0, 0, 1, 1, NO_FEATURE);
    this.#walk(tree, 0, 0, 0, features, offset, into);
  }

  /**
   * @param start where this depth's path lies, its last entry the way to `node`
   * @param last that entry's index; entry 0 is none of a feature
   */
  #walk(
    tree: Tree,
    node: number,
    start: number,
    last: number,
    features: Float32Array,
    offset: number,
    into: Float64Array,
  ): void {
    if (tree.modes[node] === MODE.LEAF) return this.#add(start, last, tree.weights[node] as number, into);
    const feature = tree.features[node] as number;
    const yes = tree.yes[node] as number;
    const no = tree.no[node] as number;
    const covers = tree.covers as Float32Array;
    const own = covers[node] as number;
    let zero = 1;
    let one = 1;
    let entries = last + 1;
    // the feature was asked for further up already: both answers become one entry
    for (let at = 1; at <= last; at += 1) {
      if (this.#features[start + at] !== feature) continue;
      zero = this.#zero[start + at] as number;
      one = this.#one[start + at] as number;
      this.#remove(start, last, at);
      entries -= 1;
      break;
    }
    const isYes = holds(tree, node, features[offset + feature] as number);
    const below = start + this.#stride;
    for (let way = 0; way < 2; way += 1) {
      const child = way === 0 ? yes : no;
      const childZero = (zero * (covers[child] as number)) / own;
      const childOne = isYes === (way === 0) ? one : 0;
      // neither this row nor any training row comes here: nothing to add
      if (childZero === 0 && childOne === 0) continue;
      this.#copy(start, below, entries);
      this.#extend(below, entries, childZero, childOne, feature);
      this.#walk(tree, child, below, entries, features, offset, into);
    }
  }

  /** In a loop: the entries are few. */
  #copy(from: number, to: number, entries: number): void {
    for (let entry = 0; entry < entries; entry += 1) {
      this.#features[to + entry] = this.#features[from + entry] as number;
      this.#zero[to + entry] = this.#zero[from + entry] as number;
      this.#one[to + entry] = this.#one[from + entry] as number;
      this.#weights[to + entry] = this.#weights[from + entry] as number;
    }
  }

  /** EXTEND of the paper: one more feature on the path. */
  #extend(start: number, length: number, zero: number, one: number, feature: number): void {
    const weights = this.#weights;
    this.#features[start + length] = feature;
    this.#zero[start + length] = zero;
    this.#one[start + length] = one;
    weights[start + length] = length === 0 ? 1 : 0;
    for (let at = length - 1; at >= 0; at -= 1) {
      const weight = weights[start + at] as number;
      weights[start + at + 1] = (weights[start + at + 1] as number) + (one * weight * (at + 1)) / (length + 1);
      weights[start + at] = (zero * weight * (length - at)) / (length + 1);
    }
  }

  /** UNWIND of the paper: the path as if a feature had not come. */
  #remove(start: number, last: number, entry: number): void {
    const weights = this.#weights;
    const zero = this.#zero[start + entry] as number;
    const one = this.#one[start + entry] as number;
    let next = weights[start + last] as number;
    for (let at = last - 1; at >= 0; at -= 1) {
      const weight = weights[start + at] as number;
      if (one === 0) weights[start + at] = (weight * (last + 1)) / (zero * (last - at));
      else {
        weights[start + at] = (next * (last + 1)) / ((at + 1) * one);
        next = weight - ((weights[start + at] as number) * zero * (last - at)) / (last + 1);
      }
    }
    for (let at = entry; at < last; at += 1) {
      this.#features[start + at] = this.#features[start + at + 1] as number;
      this.#zero[start + at] = this.#zero[start + at + 1] as number;
      this.#one[start + at] = this.#one[start + at + 1] as number;
    }
  }

  /** What a leaf adds to each feature on its path. */
  #add(start: number, last: number, weight: number, into: Float64Array): void {
    const weights = this.#weights;
    for (let entry = 1; entry <= last; entry += 1) {
      const zero = this.#zero[start + entry] as number;
      const one = this.#one[start + entry] as number;
      let total = 0;
      let next = weights[start + last] as number;
      for (let at = last - 1; at >= 0; at -= 1) {
        const own = weights[start + at] as number;
        if (one === 0) total += own / ((zero * (last - at)) / (last + 1));
        else {
          const part = (next * (last + 1)) / ((at + 1) * one);
          total += part;
          next = own - (part * zero * (last - at)) / (last + 1);
        }
      }
      const feature = this.#features[start + entry] as number;
      into[feature] = (into[feature] as number) + total * (one - zero) * weight;
    }
  }
}
