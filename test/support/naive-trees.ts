import type { TinyNode } from './tiny-onnx.js';

// The trees of `tiny-onnx.ts`, walked as ONNX says, one node after the other: what the kernel is compared with.

function goesYes({ mode = 'BRANCH_LEQ', threshold = 0, missingYes }: TinyNode, value: number): boolean {
  const bound = Math.fround(threshold);
  if (missingYes === true && Number.isNaN(value)) return true;
  const compared: Record<string, boolean> = {
    BRANCH_LEQ: value <= bound,
    BRANCH_LT: value < bound,
    BRANCH_GTE: value >= bound,
    BRANCH_GT: value > bound,
    BRANCH_EQ: value === bound,
    BRANCH_NEQ: value !== bound,
  };
  return compared[mode] ?? false;
}

/** The weight of the leaf that a row comes to. */
export function naiveLeaf(tree: readonly TinyNode[], row: ArrayLike<number>): number {
  let node = tree[0] as TinyNode;
  while (node.weight === undefined)
    node = tree[(goesYes(node, row[node.feature ?? 0] as number) ? node.yes : node.no) ?? 0] as TinyNode;
  return node.weight ?? NaN;
}

/** The sum of all trees in float32, in their order. */
export function naiveSum(trees: readonly (readonly TinyNode[])[], row: ArrayLike<number>): number {
  return trees.reduce((sum, tree) => Math.fround(sum + Math.fround(naiveLeaf(tree, row))), 0);
}

export const logistic = (margin: number): number => 1 / (1 + Math.exp(-margin));
