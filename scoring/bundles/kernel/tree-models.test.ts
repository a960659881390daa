import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../../platform/project.js';
import { kernelWasm } from '../../../test/support/kernel-wasm.js';
import { logistic, naiveSum } from '../../../test/support/naive-trees.js';
import { seeded } from '../../../test/support/seeded.js';
import { tinyOnnx, type TinyEnsemble, type TinyNode } from '../../../test/support/tiny-onnx.js';
import { above, below } from './floats.js';
import { openTreeModels, type TreeModels } from './tree-models.js';

const WIDTH = 3;
const BRANCHES = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'];
const stump: TinyNode[] = [{ yes: 1, no: 2, threshold: 0.5 }, { weight: -1 }, { weight: 2 }];
const wasm = kernelWasm();

function opened(
  pipeline: Partial<TinyEnsemble>,
  anomaly: Partial<TinyEnsemble> = {},
): TreeModels | { refused: string } {
  return openTreeModels(
    {
      pipeline: tinyOnnx({ kind: 'classifier', width: WIDTH, trees: [stump], ...pipeline }),
      anomaly: tinyOnnx({ kind: 'regressor', width: WIDTH, trees: [stump], ...anomaly }),
      width: WIDTH,
    },
    wasm,
  );
}

function accepted(...parts: Parameters<typeof opened>): TreeModels {
  const models = opened(...parts);
  if ('refused' in models) throw new Error(models.refused);
  return models;
}

function scored(models: TreeModels, rows: readonly ArrayLike<number>[]): { scores: number[]; anomalies: number[] } {
  const features = Float32Array.from(rows.flatMap((row) => Array.from(row)));
  const [scores, anomalies] = [new Float32Array(rows.length), new Float32Array(rows.length)];
  models.score(features, rows.length, scores, anomalies);
  return { scores: [...scores], anomalies: [...anomalies] };
}

/** A few values, so that rows meet thresholds exactly, and what lies beside them. */
const value = fc.constantFrom(
  ...[-2, -1, -0, 0, 0.5, 1, 2, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45].flatMap((one) => [
    one,
    ...(Math.abs(one) < 1e38 ? [above(one), below(one)] : []),
  ]),
);
const cell = fc.oneof({ weight: 6, arbitrary: value }, fc.constant(NaN), fc.constantFrom(Infinity, -Infinity));

/** A tree in which a node leads to later ones only; now and then two lead to the same. */
const treeOf = fc
  .array(
    fc.record({
      mode: fc.constantFrom(...BRANCHES),
      feature: fc.nat(WIDTH - 1),
      threshold: value,
      missingYes: fc.boolean(),
      join: fc.nat(9),
      endless: fc.nat(9),
    }),
    { maxLength: 24 },
  )
  .chain((branches) =>
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 }).map((weights) => {
      const nodes: TinyNode[] = [];
      const open = [0];
      let next = 1;
      for (const { join, endless, ...branch } of branches) {
        const at = open.shift();
        if (at === undefined) break;
        const yes = next++;
        const no = join === 0 && open.length > 0 ? (open[0] as number) : next++;
        open.push(yes, ...(no === open[0] ? [] : [no]));
        nodes[at] = { ...branch, yes, no };
        // all values one way, missing ones the other
        if (endless === 0 && /_(LEQ|GT)$/.test(branch.mode)) nodes[at].threshold = Infinity;
      }
      for (const at of open) nodes[at] ??= { weight: Math.fround(weights[at] ?? 0) };
      return nodes;
    }),
  );

describe('the kernel', () => {
  it('walks trees of every mode as ONNX says, missing and infinite values and thresholds themselves included', () => {
    fc.assert(
      fc.property(
        fc.array(treeOf, { minLength: 1, maxLength: 20 }),
        fc.array(treeOf, { minLength: 1, maxLength: 20 }),
        fc.array(fc.array(cell, { minLength: WIDTH, maxLength: WIDTH }), { minLength: 1, maxLength: 70 }),
        (trees, forest, cells) => {
          const rows = cells.map((row) => Float32Array.from(row));
          // one negative weight at least: without it, the sum is taken as a probability
          const classifier = [...trees, [{ weight: -0.25 }]];
          const models = accepted({ trees: classifier }, { trees: forest, then: ['Exp'] });
          const { scores, anomalies } = scored(models, rows);
          rows.forEach((row, index) => {
            expect(scores[index]).toBe(Math.fround(logistic(naiveSum(classifier, row))));
            expect(anomalies[index]).toBe(Math.fround(Math.exp(naiveSum(forest, row))));
          });
          // a row has the same figures alone
          expect(scored(models, rows.slice(-1)).scores).toEqual(scores.slice(-1));
        },
      ),
      seeded(200),
    );
  });

  it('takes what follows the trees: averages, base values, copies, factors of one', () => {
    const trees = [stump, stump, [{ weight: 0.125 }]];
    const anomaly = { trees, attributes: { aggregate_function: 'AVERAGE', base_values: [0.5] } };
    expect(scored(accepted({}, anomaly), [[0, 0, 0]]).anomalies).toEqual([-0.125]);
    const base = { attributes: { base_values: [1] } };
    expect(scored(accepted(base), [[0, 0, 0]]).scores).toEqual([0.5]);
    expect(scored(accepted({}, { trees, then: ['Identity', 'Mul', 'Exp'] }), [[1, 0, 0]]).anomalies).toEqual([
      Math.fround(Math.exp(4.125)),
    ]);
  });

  it('takes weights of one class that are never negative as the probability, as ONNX Runtime does', () => {
    const trees = [[{ yes: 1, no: 2, threshold: 0.5 }, { weight: 0.25 }, { weight: 0.75 }]];
    expect(scored(accepted({ trees }), [[0, 0, 0]]).scores).toEqual([0.25]);
  });

  it('needs no more memory for a long list', () => {
    const models = accepted({});
    const rows = 10_001;
    const features = new Float32Array(rows * WIDTH).map((_, index) => (index % 6 === 0 ? 1 : 0));
    const [scores, anomalies] = [new Float32Array(rows), new Float32Array(rows)];
    models.score(features, rows, scores, anomalies);
    for (let row = 0; row < rows; row += 1) expect(anomalies[row]).toBe(row % 2 === 0 ? 2 : -1);
    expect(() => models.score(features, rows + 1, scores, anomalies)).toThrow(RangeError);
  });

  it('keeps two bundles apart', () => {
    const [one, other] = [accepted({}), accepted({}, { trees: [[{ weight: 7 }]] })];
    expect(scored(one, [[0, 0, 0]]).anomalies).toEqual([-1]);
    expect(scored(other, [[0, 0, 0]]).anomalies).toEqual([7]);
    expect(scored(one, [[0, 0, 0]]).anomalies).toEqual([-1]);
  });

  it('opens what LightGBM became', () => {
    const file = (name: string) => readFileSync(projectPath('test', 'fixtures', 'tiny-models', `${name}.onnx`));
    const models = openTreeModels({ pipeline: file('a'), anomaly: file('anomaly'), width: 6 }, wasm);
    expect(models).not.toHaveProperty('refused');
    // its counts are all one, as the converter writes them
    expect((models as TreeModels).explain(new Float32Array(6), 0)).toBeNull();
  });
});
