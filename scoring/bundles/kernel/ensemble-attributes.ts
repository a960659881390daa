import { Refusal } from './messages.js';
import type { OnnxAttribute, OnnxNode } from './onnx-file.js';

const EMPTY: OnnxAttribute = { name: '', f: 0, i: 0, s: '', floats: [], ints: [], strings: [] };

/** The nodes of all trees, as the operator has them: one entry a node in every list. */
export interface NodeColumns {
  treeIds: number[];
  nodeIds: number[];
  featureIds: number[];
  values: number[];
  modes: string[];
  trueIds: number[];
  falseIds: number[];
  /** empty where the operator does not say: a missing value then goes where its comparison goes */
  missingTrue: number[];
  /** rows of the training data that came to each node; empty where the operator does not say */
  hitRates: number[];
}

/** The weights of the leaves: one entry a weight in every list. */
export interface WeightColumns {
  treeIds: number[];
  nodeIds: number[];
  /** the class or target that the weight is for */
  ids: number[];
  weights: number[];
}

export interface EnsembleAttributes {
  nodes: NodeColumns;
  leaves: WeightColumns;
  /** class labels of a classifier, targets of a regressor */
  outputs: number;
  baseValues: number[];
  aggregate: string;
  postTransform: string;
}

const NODES = ['treeids', 'nodeids', 'featureids', 'values', 'hitrates', 'modes', 'truenodeids', 'falsenodeids'];
const COMMON = [...NODES.map((name) => `nodes_${name}`), 'nodes_missing_value_tracks_true', 'base_values'];
const LEAVES = ['treeids', 'nodeids', 'ids', 'weights'];
const KNOWN: Readonly<Record<string, ReadonlySet<string>>> = {
  TreeEnsembleClassifier: new Set([
    ...COMMON,
    ...LEAVES.map((name) => `class_${name}`),
    ...['classlabels_int64s', 'classlabels_strings', 'post_transform'],
  ]),
  TreeEnsembleRegressor: new Set([
    ...COMMON,
    ...LEAVES.map((name) => `target_${name}`),
    ...['n_targets', 'aggregate_function', 'post_transform'],
  ]),
};

/**
 * The operator's attributes by what they mean; the lists of nodes and of weights are equally long.
 * @throws Refusal for an attribute that is not known, twice there, or of another length
 */
export function readAttributes({ op, attributes }: OnnxNode): EnsembleAttributes {
  const known = KNOWN[op] ?? new Set();
  const byName = new Map<string, OnnxAttribute>();
  for (const attribute of attributes) {
    if (!known.has(attribute.name)) throw new Refusal(`${op} has an attribute "${attribute.name}", which is not known`);
    if (byName.has(attribute.name)) throw new Refusal(`${op} has "${attribute.name}" twice`);
    byName.set(attribute.name, attribute);
  }
  const of = (name: string): OnnxAttribute => byName.get(name) ?? EMPTY;
  const isClassifier = op === 'TreeEnsembleClassifier';
  const leaf = isClassifier ? 'class' : 'target';
  const nodes: NodeColumns = {
    treeIds: of('nodes_treeids').ints,
    nodeIds: of('nodes_nodeids').ints,
    featureIds: of('nodes_featureids').ints,
    values: of('nodes_values').floats,
    modes: of('nodes_modes').strings,
    trueIds: of('nodes_truenodeids').ints,
    falseIds: of('nodes_falsenodeids').ints,
    missingTrue: of('nodes_missing_value_tracks_true').ints,
    hitRates: of('nodes_hitrates').floats,
  };
  const leaves: WeightColumns = {
    treeIds: of(`${leaf}_treeids`).ints,
    nodeIds: of(`${leaf}_nodeids`).ints,
    ids: of(`${leaf}_ids`).ints,
    weights: of(`${leaf}_weights`).floats,
  };
  const { missingTrue, hitRates, ...needed } = nodes;
  for (const optional of [missingTrue, hitRates]) {
    if (optional.length > 0 && optional.length !== nodes.treeIds.length) refuseLengths(op, 'nodes');
  }
  if (new Set(Object.values(needed).map(({ length }) => length)).size !== 1) refuseLengths(op, 'nodes');
  if (new Set(Object.values(leaves).map(({ length }: unknown[]) => length)).size !== 1) refuseLengths(op, 'weights');
  if (nodes.treeIds.length === 0) throw new Refusal(`${op} has no tree`);
  const labels = of('classlabels_int64s').ints.length + of('classlabels_strings').strings.length;
  return {
    nodes,
    leaves,
    outputs: isClassifier ? labels : (byName.get('n_targets')?.i ?? 1),
    baseValues: of('base_values').floats,
    aggregate: byName.get('aggregate_function')?.s ?? 'SUM',
    postTransform: byName.get('post_transform')?.s ?? 'NONE',
  };
}

function refuseLengths(op: string, what: string): never {
  throw new Refusal(`${op} has lists of its ${what} that are not equally long`);
}
