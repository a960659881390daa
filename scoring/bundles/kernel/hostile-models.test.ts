import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../../platform/project.js';
import { kernelWasm } from '../../../test/support/kernel-wasm.js';
import { seeded } from '../../../test/support/seeded.js';
import { tinyOnnx, type TinyEnsemble, type TinyNode } from '../../../test/support/tiny-onnx.js';
import { openTreeModels } from './tree-models.js';

const WIDTH = 3;
const wasm = kernelWasm();
const stump: TinyNode[] = [{ yes: 1, no: 2, feature: 2, threshold: 0.5 }, { weight: -1 }, { weight: 2 }];
const anomaly = tinyOnnx({ kind: 'regressor', width: WIDTH, trees: [stump], then: ['Exp'] });
const pipeline = tinyOnnx({ kind: 'classifier', width: WIDTH, trees: [stump] });

/** Opens the files and, if they are taken, scores a few rows with them: neither may throw. */
function reasonOf(models: { pipeline: Uint8Array; anomaly: Uint8Array; width: number }): string | null {
  const opened = openTreeModels(models, wasm);
  if ('refused' in opened) return opened.refused;
  const features = new Float32Array(5 * models.width).map((_, index) => index - 4);
  const [scores, anomalies] = [new Float32Array(5), new Float32Array(5)];
  opened.score(features, 5, scores, anomalies);
  opened.explain(features, 0);
  return null;
}
const classifier = (part: Partial<TinyEnsemble>, width = WIDTH): string | null =>
  reasonOf({ pipeline: tinyOnnx({ kind: 'classifier', width, trees: [stump], ...part }), anomaly, width: WIDTH });
const regressor = (part: Partial<TinyEnsemble>): string | null =>
  reasonOf({ pipeline, anomaly: tinyOnnx({ kind: 'regressor', width: WIDTH, trees: [stump], ...part }), width: WIDTH });
const tree = (...nodes: TinyNode[]): string | null => classifier({ trees: [stump, nodes] });

describe('a file that the kernel does not take says why', () => {
  it.each<[string, RegExp, () => string | null]>([
    [
      'a circle',
      /tree 1: it has a circle/,
      () => tree({ yes: 1, no: 2 }, { yes: 2, no: 3 }, { yes: 1, no: 3 }, { weight: 1 }),
    ],
    ['a root with a parent', /tree 1: its first node has a parent/, () => tree({ yes: 0, no: 1 }, { weight: 1 })],
    ['two roots', /tree 1: it has a circle, or nodes that its root/, () => tree({ weight: 1 }, { weight: 1 })],
    ['a child that there is not', /tree 1: node 0 leads to 9/, () => tree({ yes: 1, no: 9 }, { weight: 1 })],
    [
      'a feature out of range',
      /tree 1: node 0 asks for feature 3 of 3/,
      () => tree({ ...stump[0], feature: 3 }, ...stump.slice(1)),
    ],
    ['a negative feature', /asks for feature -1/, () => tree({ ...stump[0], feature: -1 }, ...stump.slice(1))],
    [
      'a leaf without weight',
      /tree 1: the leaf 1 has no weight/,
      () => tree({ yes: 1, no: 2 }, { weight: null }, { weight: 1 }),
    ],
    [
      'a weight on a branch',
      /tree 1: the branch 0 has a weight/,
      () => tree({ ...stump[0], mode: 'BRANCH_LEQ', weight: 1 }, ...stump.slice(1)),
    ],
    [
      'a threshold that is no number',
      /threshold of node 0 is not finite/,
      () => tree({ ...stump[0], threshold: NaN }, ...stump.slice(1)),
    ],
    ['an infinite weight', /weight of node 0 is not finite/, () => tree({ weight: Infinity })],
    [
      'an unknown mode',
      /node 0 has a mode that is not known/,
      () => tree({ ...stump[0], mode: 'BRANCH_MEMBER' }, ...stump.slice(1)),
    ],
    ['no tree', /has no tree/, () => classifier({ trees: [] })],
    [
      'lists of unequal length',
      /lists of its nodes that are not equally long/,
      () => classifier({ attributes: { nodes_values: [1] } }),
    ],
    ['weights of unequal length', /lists of its weights/, () => classifier({ attributes: { class_ids: [0] } })],
    [
      'two weights of a leaf',
      /two weights/,
      () => classifier({ attributes: { class_treeids: [0, 0], class_nodeids: [1, 1] } }),
    ],
    [
      'a weight of no node',
      /weight is for a node 7/,
      () =>
        classifier({
          attributes: {
            class_treeids: [0, 0, 0],
            class_nodeids: [1, 2, 7],
            class_ids: [0, 0, 0],
            class_weights: [1, 1, 1],
          },
        }),
    ],
    [
      'a weight of no tree',
      /a weight is for a tree 5/,
      () =>
        classifier({
          attributes: {
            class_treeids: [0, 0, 5],
            class_nodeids: [1, 2, 1],
            class_ids: [0, 0, 0],
            class_weights: [1, 1, 1],
          },
        }),
    ],
    ['nodes with one id', /two nodes have the same id/, () => classifier({ attributes: { nodes_nodeids: [0, 1, 1] } })],
    [
      'trees in pieces',
      /tree 0: its nodes do not stand together/,
      () =>
        classifier({
          trees: [[{ weight: 1 }], [{ weight: 1 }], [{ weight: 1 }]],
          attributes: { nodes_treeids: [0, 1, 0], nodes_nodeids: [0, 0, 1] },
        }),
    ],
    [
      'three classes',
      /3 classes or targets, not 2/,
      () => classifier({ attributes: { classlabels_int64s: [0, 1, 2] } }),
    ],
    ['a third class', /a weight is for a class/, () => classifier({ attributes: { class_ids: [0, 2] } })],
    ['another transform', /post transform SOFTMAX/, () => classifier({ attributes: { post_transform: 'SOFTMAX' } })],
    [
      'a sum whose sign turns',
      /single sum with negative weights/,
      () => classifier({ attributes: { post_transform: 'NONE' } }),
    ],
    ['two base values', /more than one base value/, () => classifier({ attributes: { base_values: [1, 2] } })],
    ['an endless base value', /base value is not finite/, () => classifier({ attributes: { base_values: [NaN] } })],
    ['another aggregate', /aggregate function MAX/, () => regressor({ attributes: { aggregate_function: 'MAX' } })],
    [
      'a transform of a regressor',
      /of a regressor is not taken/,
      () => regressor({ attributes: { post_transform: 'LOGISTIC' } }),
    ],
    ['two targets', /2 classes or targets, not 1/, () => regressor({ attributes: { n_targets: 2 } })],
    ['a second target', /a weight is for a target/, () => regressor({ attributes: { target_ids: [0, 1] } })],
    ['an unknown attribute', /attribute "nodes_secret"/, () => classifier({ attributes: { nodes_secret: [1] } })],
    ['another width', /"features" must be float32 with 3 columns/, () => classifier({}, 4)],
    ['another type of input', /"features" must be float32/, () => classifier({ spoil: 'doubleInput' })],
    ['external data', /external data/, () => classifier({ spoil: 'externalData' })],
    ['a subgraph', /subgraph/, () => classifier({ spoil: 'subgraph' })],
    ['a tensor as attribute', /attribute holds a tensor/, () => classifier({ spoil: 'tensor' })],
    ['an unknown operator', /operator Loop is not a tree ensemble/, () => classifier({ spoil: 'unknownOperator' })],
    ['functions', /functions of its own/, () => classifier({ spoil: 'functions' })],
    ['no graph', /no graph/, () => classifier({ spoil: 'noGraph' })],
    ['two exponentials', /two exponentials/, () => regressor({ then: ['Exp', 'Exp'] })],
    ['a cast before the output', /Cast stands before the output/, () => regressor({ then: ['Cast'] })],
    [
      'the other file',
      /pipeline.onnx: the graph must give "probabilities"/,
      () => reasonOf({ pipeline: anomaly, anomaly, width: WIDTH }),
    ],
    ['no columns', /rows of 0 features/, () => reasonOf({ pipeline, anomaly, width: 0 })],
    ['too many columns', /rows of 100000 features/, () => reasonOf({ pipeline, anomaly, width: 100_000 })],
    [
      'too deep a tree',
      /deep/,
      () =>
        tree(
          ...Array.from({ length: 1_100 }, (_, at) => ({ yes: 2 * at + 1, no: 2 * at + 2 })).flatMap((node, at) =>
            at === 0 ? [node] : [{ weight: 1 }, node],
          ),
          { weight: 1 },
          { weight: 1 },
        ),
    ],
  ])('%s', (_, reason, attempt) => {
    expect(attempt()).toMatch(reason);
  });
});

describe('hostile bytes are refused or read, and never more than that', () => {
  const file = (name: string) => readFileSync(projectPath('test', 'fixtures', 'tiny-models', `${name}.onnx`));
  const whole = { pipeline: file('a'), anomaly: file('anomaly'), width: 6 };

  it('a file that ends early', () => {
    for (let length = 0; length < whole.pipeline.length; length += 97)
      expect(reasonOf({ ...whole, pipeline: whole.pipeline.subarray(0, length) }), `${length} bytes`).not.toBeNull();
  });

  it('one flipped byte anywhere', () => {
    expect(reasonOf({ pipeline, anomaly, width: WIDTH })).toBeNull();
    let refused = 0;
    for (const [model, bytes] of Object.entries({ pipeline, anomaly })) {
      for (let at = 0; at < bytes.length; at += 1) {
        for (const mask of [0xff, 0x01, 0x80]) {
          const damaged = Uint8Array.from(bytes);
          damaged[at] = (damaged[at] as number) ^ mask;
          if (reasonOf({ pipeline, anomaly, width: WIDTH, [model]: damaged }) !== null) refused += 1;
        }
      }
    }
    // names for people and numbers may change; most of the rest has one meaning only
    expect(refused).toBeGreaterThan((pipeline.length + anomaly.length) * 2);
  });

  it('one flipped byte in every 97th place of a larger file', () => {
    for (let at = 0; at < whole.pipeline.length; at += 97) {
      const damaged = Uint8Array.from(whole.pipeline);
      damaged[at] = (damaged[at] as number) ^ 0xff;
      reasonOf({ ...whole, pipeline: damaged });
    }
  });

  it('random bytes, and random bytes where a message should be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(null, 0x3a), (bytes, tag) => {
        const framed =
          tag === null ? bytes : Uint8Array.of(tag, 0x7f & bytes.length, ...bytes.subarray(0, 0x7f & bytes.length));
        expect(reasonOf({ pipeline: framed, anomaly, width: WIDTH })).toMatch(/^pipeline\.onnx: /);
      }),
      seeded(2_000),
    );
  });

  it('lengths that promise gigabytes, and groups within groups', () => {
    const promise = Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07);
    expect(reasonOf({ pipeline: promise, anomaly, width: WIDTH })).toMatch(/beyond the end/);
    expect(reasonOf({ pipeline: new Uint8Array(1_000_000).fill(0x3b), anomaly, width: WIDTH })).toMatch(/another type/);
  });
});
