import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelWasm } from '../../../test/support/kernel-wasm.js';
import { seeded } from '../../../test/support/seeded.js';
import { tinyOnnx, type TinyNode } from '../../../test/support/tiny-onnx.js';
import { openTreeModels } from './tree-models.js';

const WIDTH = 4;
const wasm = kernelWasm();

function explain(trees: TinyNode[][], row: readonly number[], counts = true) {
  const models = openTreeModels(
    {
      pipeline: tinyOnnx({ kind: 'classifier', width: WIDTH, trees, counts }),
      anomaly: tinyOnnx({ kind: 'regressor', width: WIDTH, trees: [[{ weight: 1 }]] }),
      width: WIDTH,
    },
    wasm,
  );
  if ('refused' in models) throw new Error(models.refused);
  return models.explain(Float32Array.from([9, ...row]), 1);
}

/** What a tree gives on average if only some features are known: those not known go both ways, by the counts. */
function expectation(tree: TinyNode[], row: readonly number[], known: ReadonlySet<number>, at = 0): number {
  const { yes = 0, no = 0, feature = 0, threshold = 0, weight, count = 0 } = tree[at] as TinyNode;
  if (typeof weight === 'number') return weight;
  if (known.has(feature)) return expectation(tree, row, known, (row[feature] as number) <= threshold ? yes : no);
  const part = (child: number) => expectation(tree, row, known, child) * ((tree[child] as TinyNode).count ?? 0);
  return (part(yes) + part(no)) / count;
}

/** Shapley's formula itself, over all subsets of features. */
function shapley(tree: TinyNode[], row: readonly number[]): number[] {
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  return Array.from({ length: WIDTH }, (_, feature) => {
    let sum = 0;
    for (let set = 0; set < 1 << WIDTH; set += 1) {
      if ((set & (1 << feature)) !== 0) continue;
      const members = Array.from({ length: WIDTH }, (_unused, one) => one).filter((one) => (set & (1 << one)) !== 0);
      const weight = (factorial(members.length) * factorial(WIDTH - members.length - 1)) / factorial(WIDTH);
      const without = expectation(tree, row, new Set(members));
      sum += weight * (expectation(tree, row, new Set([...members, feature])) - without);
    }
    return sum;
  });
}

/** A tree whose counts add up, which asks for a feature again and again. */
const treeOf: fc.Arbitrary<TinyNode[]> = fc
  .array(fc.record({ feature: fc.nat(WIDTH - 1), threshold: fc.integer({ min: -2, max: 2 }) }), { maxLength: 12 })
  .chain((branches) =>
    fc
      .array(fc.record({ weight: fc.integer({ min: -8, max: 8 }), count: fc.integer({ min: 1, max: 50 }) }), {
        minLength: branches.length + 1,
        maxLength: branches.length + 1,
      })
      .map((leaves) => {
        const inner = branches.map((branch, at) => ({ ...branch, yes: 2 * at + 1, no: 2 * at + 2 }));
        const nodes: TinyNode[] = [];
        for (let at = 0; at < 2 * branches.length + 1; at += 1)
          nodes.push(inner[at] ?? { ...(leaves[at - branches.length] as TinyNode) });
        for (let at = branches.length - 1; at >= 0; at -= 1) {
          const node = nodes[at] as TinyNode;
          node.count = (nodes[node.yes ?? 0]?.count ?? 0) + (nodes[node.no ?? 0]?.count ?? 0);
        }
        return nodes;
      }),
  );
const rowOf = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: WIDTH, maxLength: WIDTH });

describe('explanations', () => {
  it("are Shapley's values, and add up to the margin", () => {
    fc.assert(
      fc.property(fc.array(treeOf, { minLength: 1, maxLength: 3 }), rowOf, (trees, row) => {
        const explained = explain(trees, row);
        const all = new Set([0, 1, 2, 3]);
        const margin = trees.reduce((sum, tree) => sum + expectation(tree, row, all), 0);
        const base = trees.reduce((sum, tree) => sum + expectation(tree, row, new Set()), 0);
        expect(explained?.baseValue).toBeCloseTo(base, 9);
        const each = trees.map((tree) => shapley(tree, row));
        const sums = [...(explained?.contributions ?? [])];
        sums.forEach((sum, feature) =>
          expect(sum).toBeCloseTo(
            each.reduce((total, one) => total + one[feature]!, 0),
            9,
          ),
        );
        expect(sums.reduce((total, one) => total + one, base)).toBeCloseTo(margin, 9);
      }),
      seeded(300),
    );
  });

  it('are not given without counts, with counts that do not add up, or where ways join', () => {
    const tree: TinyNode[] = [
      { yes: 1, no: 2, count: 10 },
      { weight: 1, count: 4 },
      { weight: -1, count: 6 },
    ];
    expect(explain([tree], [0, 0, 0, 0])?.baseValue).toBeCloseTo(-0.2, 9);
    expect(explain([tree], [0, 0, 0, 0], false)).toBeNull();
    expect(explain([tree.map((node) => ({ ...node, count: 1 }))], [0, 0, 0, 0])).toBeNull();
    // of a node with two parents, the counts may add up and say nothing of how many came which way
    const joined: TinyNode[] = [
      { yes: 1, no: 2, count: 10 },
      { feature: 1, yes: 2, no: 3, count: 5 },
      { weight: 1, count: 5 },
      { weight: -1, count: 0 },
    ];
    expect(explain([joined], [0, 0, 0, 0])).toBeNull();
  });
});
