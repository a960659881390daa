import { Refusal } from './messages.js';
import type { OnnxNode } from './onnx-file.js';

/** A file that must not be handed to ONNX Runtime either. */
export class DangerousFile extends Refusal {
  override name = 'DangerousFile';
}

/**
 * ONNX Runtime follows a tree's branches by calling itself, and where its stack ends it takes the process along. 5,000 steps it survives, on
 * a thread of Node's; 20,000 it does not. Trees that training makes have a few dozen.
 */
const MAX_STEPS = 2_000;

/**
 * Follows the branches of an operator's trees as ONNX Runtime does, and asks nothing of them but where they lead.
 * @throws DangerousFile
 */
export function mustBeShallow({ op, attributes }: OnnxNode): void {
  const intsOf = (name: string): number[] => attributes.find((attribute) => attribute.name === name)?.ints ?? [];
  const [treeIds, nodeIds] = [intsOf('nodes_treeids'), intsOf('nodes_nodeids')];
  if (largestOf(treeIds) <= MAX_STEPS) return;
  const ways = [intsOf('nodes_falsenodeids'), intsOf('nodes_truenodeids')];
  const places = new Map<number, Map<number, number>>();
  const roots: number[] = [];
  treeIds.forEach((tree, at) => {
    if (at === 0 || tree !== treeIds[at - 1]) roots.push(at);
    const ofTree = places.get(tree) ?? new Map<number, number>();
    places.set(tree, ofTree.set(nodeIds[at] ?? -1, at));
  });
  const childrenOf = (at: number): number[] =>
    ways.flatMap((ids) => places.get(treeIds[at] as number)?.get(ids[at] ?? -1) ?? []);
  // Where a node has two parents, how deep the calls go depends on which way is followed first.
  const steps = Math.max(
    stepsFrom(roots, childrenOf),
    stepsFrom(roots, (at) => childrenOf(at).reverse()),
  );
  if (steps > MAX_STEPS) throw new DangerousFile(`${op} has a tree of ${steps} steps, more than ${MAX_STEPS}`);
}

/** How many nodes the largest tree has, which has no more steps than that. Nearly all files need nothing but this. */
function largestOf(treeIds: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const tree of treeIds) sizes.set(tree, (sizes.get(tree) ?? 0) + 1);
  return [...sizes.values()].reduce((most, size) => Math.max(most, size), 0);
}

/** How deep the calls go of a function that visits every node once, and first a node's first child. */
function stepsFrom(roots: readonly number[], childrenOf: (at: number) => number[]): number {
  const seen = new Set<number>();
  let most = 0;
  for (const root of roots) {
    const open = [{ at: root, steps: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next.at)) continue;
      seen.add(next.at);
      most = Math.max(most, next.steps);
      for (const child of childrenOf(next.at).reverse()) open.push({ at: child, steps: next.steps + 1 });
    }
  }
  return most;
}
