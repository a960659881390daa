import type { NodeColumns, WeightColumns } from './ensemble-attributes.js';
import { Refusal } from './messages.js';

export const MODES = ['LEAF', 'BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'] as const;

/** The numbers that `Tree.modes` holds, by name. */
export const MODE = { LEAF: 0, LEQ: 1, LT: 2, GTE: 3, GT: 4, EQ: 5, NEQ: 6 } as const;

/** One entry a node. */
interface NodeArrays {
  readonly modes: Uint8Array;
  readonly features: Uint16Array;
  readonly thresholds: Float32Array;
  /** of a branch: the node where its comparison holds, and where it does not, counted from the tree's first */
  readonly yes: Uint32Array;
  readonly no: Uint32Array;
  /** 1 where a missing value goes to `yes` whatever the comparison says */
  readonly missingYes: Uint8Array;
  /** of a leaf */
  readonly weights: Float32Array;
  /** rows of the training data that came to each node, or null where the file does not say */
  readonly covers: Float32Array | null;
}

/**
 * A tree that has been looked at: every node is reached from the first, on finitely many steps. A node may have several parents, as
 * the converter from LightGBM makes them for a set of categories; then paths join, and none comes back.
 */
export interface Tree extends NodeArrays {
  readonly size: number;
  /** whether a node has several parents */
  readonly shared: boolean;
}

/** All trees of an ensemble, one after the other, in arrays that another thread can be sent. */
export interface TreeColumns extends NodeArrays {
  /** where each tree begins, and the end */
  readonly starts: Uint32Array;
  /** by tree: 1 where a node has several parents */
  readonly shared: Uint8Array;
}

/** The most nodes of a tree: what 16 bits can tell apart after each has become at most three records. */
const MAX_NODES = 20_000;
const NONE = -1;

/** Whether the comparison of a branch holds for a value, as ONNX Runtime compares: a missing value is not a number. */
export function holds(tree: Tree, node: number, value: number): boolean {
  if (tree.missingYes[node] === 1 && Number.isNaN(value)) return true;
  const threshold = tree.thresholds[node] as number;
  switch (tree.modes[node]) {
    case MODE.LEQ:
      return value <= threshold;
    case MODE.LT:
      return value < threshold;
    case MODE.GTE:
      return value >= threshold;
    case MODE.GT:
      return value > threshold;
    case MODE.EQ:
      return value === threshold;
    default:
      return value !== threshold;
  }
}

/** The node after a branch. */
export function after(tree: Tree, node: number, value: number): number {
  return (holds(tree, node, value) ? tree.yes[node] : tree.no[node]) as number;
}

/** Each tree of the columns, as a view of them. */
export function treesOf(columns: TreeColumns): Tree[] {
  return Array.from(columns.shared, (shared, tree) => ({
    ...viewOf(columns, columns.starts[tree] as number, columns.starts[tree + 1] as number),
    shared: shared === 1,
  }));
}

function viewOf(columns: NodeArrays, start: number, end: number): Omit<Tree, 'shared'> {
  return {
    size: end - start,
    modes: columns.modes.subarray(start, end),
    features: columns.features.subarray(start, end),
    thresholds: columns.thresholds.subarray(start, end),
    yes: columns.yes.subarray(start, end),
    no: columns.no.subarray(start, end),
    missingYes: columns.missingYes.subarray(start, end),
    weights: columns.weights.subarray(start, end),
    covers: columns.covers?.subarray(start, end) ?? null,
  };
}

/**
 * The trees in the order in which they are listed.
 * @param about how many features a row has, and for which class or target the weights are read
 * @throws Refusal that names the tree, where one is at fault
 */
export function readTrees(
  nodes: NodeColumns,
  leaves: WeightColumns,
  about: { width: number; output: number },
): TreeColumns {
  const size = nodes.treeIds.length;
  const columns = {
    modes: new Uint8Array(size),
    features: new Uint16Array(size),
    thresholds: new Float32Array(size),
    yes: new Uint32Array(size),
    no: new Uint32Array(size),
    missingYes: new Uint8Array(size),
    weights: new Float32Array(size),
    covers: nodes.hitRates.length === 0 ? null : Float32Array.from(nodes.hitRates),
  };
  const [starts, shared]: [number[], number[]] = [[], []];
  const byTree = weightsByTree(leaves, about.output);
  const seen = new Set<number>();
  for (let start = 0; start < size;) {
    const id = nodes.treeIds[start] as number;
    if (seen.has(id)) throw new Refusal(`tree ${id}: its nodes do not stand together`);
    seen.add(id);
    let end = start;
    while (nodes.treeIds[end] === id) end += 1;
    try {
      const tree = viewOf(columns, start, end);
      readTree(nodes, start, tree, byTree.get(id) ?? new Map<number, number>(), about.width);
      starts.push(start);
      shared.push(checkWays(tree) ? 1 : 0);
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(`tree ${id}: ${error.message}`) : error;
    }
    start = end;
  }
  for (const id of byTree.keys())
    if (!seen.has(id)) throw new Refusal(`a weight is for a tree ${id} that there is not`);
  return { ...columns, starts: Uint32Array.from([...starts, size]), shared: Uint8Array.from(shared) };
}

function weightsByTree(leaves: WeightColumns, output: number): Map<number, Map<number, number>> {
  const byTree = new Map<number, Map<number, number>>();
  leaves.ids.forEach((id, index) => {
    const [tree, node] = [leaves.treeIds[index] as number, leaves.nodeIds[index] as number];
    const weights = byTree.get(tree) ?? new Map<number, number>();
    byTree.set(tree, weights);
    if (id !== output) return;
    if (weights.has(node)) throw new Refusal(`tree ${tree}: node ${node} has two weights`);
    const weight = leaves.weights[index] as number;
    if (!Number.isFinite(weight)) throw new Refusal(`tree ${tree}: the weight of node ${node} is not finite`);
    weights.set(node, weight);
  });
  return byTree;
}

/** Fills a tree's part of the columns. */
function readTree(
  nodes: NodeColumns,
  start: number,
  tree: Omit<Tree, 'shared'>,
  weights: Map<number, number>,
  width: number,
): void {
  const { size } = tree;
  if (size > MAX_NODES) throw new Refusal(`it has ${size} nodes, more than ${MAX_NODES}`);
  const positions = new Map<number, number>();
  for (let node = 0; node < size; node += 1) positions.set(nodes.nodeIds[start + node] as number, node);
  if (positions.size !== size) throw new Refusal('two nodes have the same id');
  for (let node = 0; node < size; node += 1) {
    const at = start + node;
    const id = nodes.nodeIds[at] as number;
    const mode = MODES.indexOf(nodes.modes[at] as (typeof MODES)[number]);
    if (mode === NONE) throw new Refusal(`node ${id} has a mode that is not known`);
    const weight = weights.get(id);
    tree.modes[node] = mode;
    if (mode === MODE.LEAF) {
      if (weight === undefined) throw new Refusal(`the leaf ${id} has no weight`);
      tree.weights[node] = weight;
      continue;
    }
    if (weight !== undefined) throw new Refusal(`the branch ${id} has a weight`);
    const feature = nodes.featureIds[at] as number;
    if (!(feature >= 0 && feature < width)) throw new Refusal(`node ${id} asks for feature ${feature} of ${width}`);
    tree.features[node] = feature;
    const threshold = nodes.values[at] as number;
    // LightGBM's converter writes infinity where all values go one way and missing ones the other
    const dividesMissing = threshold === Infinity && (mode === MODE.LEQ || mode === MODE.GT);
    if (!Number.isFinite(threshold) && !dividesMissing) throw new Refusal(`the threshold of node ${id} is not finite`);
    tree.thresholds[node] = threshold;
    tree.missingYes[node] = nodes.missingTrue[at] === 1 ? 1 : 0;
    tree.yes[node] = childOf(positions, id, nodes.trueIds[at] as number);
    tree.no[node] = childOf(positions, id, nodes.falseIds[at] as number);
  }
  for (const id of weights.keys())
    if (!positions.has(id)) throw new Refusal(`a weight is for a node ${id} that there is not`);
}

function childOf(positions: Map<number, number>, id: number, child: number): number {
  const position = positions.get(child);
  if (position === undefined) throw new Refusal(`node ${id} leads to ${child}, which there is not`);
  return position;
}

/**
 * The first node is the root, every other is reached, and no way comes back to where it was.
 * @returns whether a node has several parents
 */
function checkWays({ size, modes, yes, no }: Pick<Tree, 'size' | 'modes' | 'yes' | 'no'>): boolean {
  const parents = new Uint32Array(size);
  for (let node = 0; node < size; node += 1) {
    if (modes[node] === MODE.LEAF) continue;
    for (const child of [yes[node] as number, no[node] as number]) parents[child] = (parents[child] as number) + 1;
  }
  if (parents[0] !== 0) throw new Refusal('its first node has a parent, so it has no root');
  const shared = parents.some((count) => count > 1);
  const ready = [0];
  for (let index = 0; index < ready.length; index += 1) {
    const node = ready[index] as number;
    if (modes[node] === MODE.LEAF) continue;
    for (const child of [yes[node] as number, no[node] as number]) {
      parents[child] = (parents[child] as number) - 1;
      if (parents[child] === 0) ready.push(child);
    }
  }
  if (ready.length !== size) throw new Refusal('it has a circle, or nodes that its root does not lead to');
  return shared;
}
