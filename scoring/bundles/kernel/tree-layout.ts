import { below } from './floats.js';
import { Refusal } from './messages.js';
import { MODE, type Tree } from './trees.js';

// What trees.as.ts walks. A record is 8 bytes: a float32 threshold (of a leaf: its weight), the byte offset of a value in the prepared
// row (16 bits), and how many records after this one its two children lie (16 bits; 0 for a leaf). If `value <= threshold` holds, the
// way goes to the second child, else to the first. A prepared row has each feature three times: a missing value as +Infinity, as
// -Infinity, and as 1 where all others are 0. So a node chooses where missing values go by which of them it reads. After them comes a
// NaN, which leaves read: no comparison with it holds, so a leaf leads to itself, and all trees of a group take as many steps.
// That way every mode and every missing value is written with the one comparison, and the walk has no branch.

export const RECORD_BYTES = 8;
export const TREES_A_GROUP = 8;
export const GROUP_BYTES = 4 + 4 * TREES_A_GROUP;
/** The widest row whose values have 16-bit offsets when prepared. */
export const MAX_WIDTH = 5_460;
const MAX_STEPS = 1_000;
/** What the trees may take, besides 1 kB each for a tile of rows; the demo's take a quarter of a megabyte. */
const MAX_BYTES = 32 * 2 ** 20;
const MAX_TREES = 20_000;
const MAX_DISTANCE = 0xffff;

/** How often a prepared row has each value; as what, the three numbers after it say. */
export const VALUES_A_FEATURE = 3;
const MISSING_HIGH = 0;
const MISSING_LOW = 1;
const IS_MISSING = 2;

/** A tree in records, the root's first. */
interface Records {
  bytes: Uint8Array;
  /** how many steps lead from the root to the furthest leaf */
  steps: number;
}

export interface Layout {
  /** records of all trees, then of one leaf that fills groups up */
  records: Uint8Array;
  /** for each group of eight trees: uint32 steps, then the byte offset of each root in `records` */
  groups: Uint32Array;
  /** where each tree stands among all groups' trees; in the order of the trees */
  places: Uint32Array;
}

/** A comparison `value <= threshold` with its two ways, or a leaf (`low` is then the node itself). */
interface Split {
  value: number;
  threshold: number;
  low: number;
  high: number;
}

/**
 * All trees in groups of eight of about the same depth.
 * @throws Refusal for a tree that is too deep or too large, or when all together are
 */
export function layOut(trees: readonly Tree[], width: number): Layout {
  if (trees.length > MAX_TREES) throw new Refusal(`there are ${trees.length} trees, more than ${MAX_TREES}`);
  const compiled = trees.map((tree, index) => recordsOf(tree, width, index));
  const order = compiled.map((_, index) => index).sort((a, b) => stepsOf(compiled, a) - stepsOf(compiled, b) || a - b);
  const size = compiled.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size > MAX_BYTES) throw new Refusal(`the trees take ${size} bytes, more than ${MAX_BYTES}`);
  const records = new Uint8Array(size + RECORD_BYTES);
  writeLeaf(new DataView(records.buffer), size, 0, width);
  const groups = new Uint32Array(Math.ceil(trees.length / TREES_A_GROUP) * (1 + TREES_A_GROUP));
  const places = new Uint32Array(trees.length);
  let at = 0;
  for (let place = 0; place < (groups.length / (1 + TREES_A_GROUP)) * TREES_A_GROUP; place += 1) {
    const group = Math.floor(place / TREES_A_GROUP) * (1 + TREES_A_GROUP);
    const root = group + 1 + (place % TREES_A_GROUP);
    const tree = order[place];
    groups[root] = size;
    if (tree === undefined) continue;
    const { bytes, steps } = compiled[tree] as Records;
    records.set(bytes, at);
    groups[root] = at;
    groups[group] = steps;
    places[tree] = place;
    at += bytes.length;
  }
  return { records, groups, places };
}

function stepsOf(compiled: readonly Records[], index: number): number {
  return compiled[index]?.steps ?? 0;
}

function recordsOf(tree: Tree, width: number, index: number): Records {
  const splits = splitsOf(tree);
  const { order, steps } = inOrder(splits);
  if (steps > MAX_STEPS) throw new Refusal(`tree ${index} from the first: it is ${steps} deep`);
  // the children of every split, one beside the other, after all records that lead to them
  const children = new Map<number, number>();
  let count = 1;
  for (const node of order) {
    if (isLeaf(splits, node)) continue;
    children.set(node, count);
    count += 2;
  }
  const bytes = new Uint8Array(count * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const write = (node: number, position: number): void => {
    const { value, threshold } = splits[node] as Split;
    if (isLeaf(splits, node)) return writeLeaf(view, position * RECORD_BYTES, tree.weights[node] as number, width);
    const distance = (children.get(node) as number) - position;
    if (distance > MAX_DISTANCE) throw new Refusal(`tree ${index} from the first: it is too large`);
    view.setFloat32(position * RECORD_BYTES, threshold, true);
    view.setUint16(position * RECORD_BYTES + 4, value * 4, true);
    view.setUint16(position * RECORD_BYTES + 6, distance, true);
  };
  write(0, 0);
  for (const [node, position] of children) {
    const { low, high } = splits[node] as Split;
    write(high, position);
    write(low, position + 1);
  }
  return { bytes, steps };
}

function writeLeaf(view: DataView, at: number, weight: number, width: number): void {
  view.setFloat32(at, weight, true);
  view.setUint16(at + 4, width * VALUES_A_FEATURE * 4, true);
  view.setUint16(at + 6, 0, true);
}

function isLeaf(splits: readonly Split[], node: number): boolean {
  return splits[node]?.low === node;
}

/** The nodes of a tree, each as one comparison `<=`, equality as two; a tree's own numbers stay, further ones come after them. */
function splitsOf(tree: Tree): Split[] {
  const splits: Split[] = [];
  const further: Split[] = [];
  for (let node = 0; node < tree.size; node += 1) {
    const mode = tree.modes[node];
    if (mode === MODE.LEAF) {
      splits.push({ value: 0, threshold: 0, low: node, high: node });
      continue;
    }
    const threshold = tree.thresholds[node] as number;
    const [yes, no] = [tree.yes[node] as number, tree.no[node] as number];
    const missingYes = tree.missingYes[node] === 1;
    const feature = (tree.features[node] as number) * VALUES_A_FEATURE;
    const [whenHigh, whenLow] = [feature + MISSING_HIGH, feature + MISSING_LOW];
    if (threshold === Infinity) {
      // `<=` holds for whatever is there, `>` for nothing; a missing value goes along, or is the only one that goes high
      const isLeq = mode === MODE.LEQ;
      const compared =
        isLeq === missingYes ? { value: whenLow, threshold } : { value: feature + IS_MISSING, threshold: 0 };
      splits.push({ ...compared, low: isLeq ? yes : no, high: isLeq ? no : yes });
    } else if (mode === MODE.LEQ || mode === MODE.LT) {
      const bound = mode === MODE.LEQ ? threshold : below(threshold);
      splits.push({ value: missingYes ? whenLow : whenHigh, threshold: bound, low: yes, high: no });
    } else if (mode === MODE.GT || mode === MODE.GTE) {
      const bound = mode === MODE.GT ? threshold : below(threshold);
      splits.push({ value: missingYes ? whenHigh : whenLow, threshold: bound, low: no, high: yes });
    } else {
      // Equal is: at most the threshold, and above the number before it. A missing value is never equal, so always unequal.
      const [equal, unequal] = mode === MODE.EQ ? [yes, no] : [no, yes];
      const missingEqual = mode === MODE.EQ && missingYes;
      const second = tree.size + further.length;
      splits.push({ value: missingEqual ? whenLow : whenHigh, threshold, low: second, high: unequal });
      further.push({ value: whenHigh, threshold: below(threshold), low: unequal, high: equal });
    }
  }
  return [...splits, ...further];
}

/** The nodes so that each comes after all that lead to it, and the longest way. */
function inOrder(splits: readonly Split[]): { order: number[]; steps: number } {
  const parents = new Uint32Array(splits.length);
  const depth = new Uint32Array(splits.length);
  const waysOf = (node: number): number[] => {
    const { low, high } = splits[node] as Split;
    return low === node ? [] : [low, high];
  };
  for (let node = 0; node < splits.length; node += 1)
    for (const child of waysOf(node)) parents[child] = (parents[child] as number) + 1;
  const order = [0];
  let steps = 0;
  for (let index = 0; index < order.length; index += 1) {
    const node = order[index] as number;
    const own = depth[node] as number;
    steps = Math.max(steps, own);
    for (const child of waysOf(node)) {
      depth[child] = Math.max(depth[child] as number, own + 1);
      parents[child] = (parents[child] as number) - 1;
      if (parents[child] === 0) order.push(child);
    }
  }
  return { order, steps };
}
