import { DangerousFile } from './depth.js';
import { type EnsembleAttributes, readAttributes } from './ensemble-attributes.js';
import { Refusal } from './messages.js';
import { readTreeGraph } from './tree-graph.js';
import { readTrees, type TreeColumns } from './trees.js';

/** What a file computes: a sum over trees, and what is made of it. */
export interface TreeEnsemble {
  /** in the order in which ONNX Runtime adds them up */
  trees: TreeColumns;
  /** by how many the sum is divided; 1 for none */
  divisor: number;
  /** added after that */
  base: number;
  transform: 'none' | 'logistic' | 'exponential';
}

export interface ModelFiles {
  /** bytes of `pipeline.onnx`: a classifier with `probabilities` [rows, 2], of which the second column is the score */
  pipeline: Uint8Array;
  /** bytes of `if_pipe.onnx`: a regressor with `anomaly_score` [rows, 1] */
  anomaly: Uint8Array;
  /** features a row */
  width: number;
}

/**
 * Both files as trees.
 * @throws Refusal that names the file and the reason
 */
export function readEnsembles({ pipeline, anomaly, width }: ModelFiles): [TreeEnsemble, TreeEnsemble] {
  return [
    named('pipeline.onnx', () => readEnsemble(pipeline, 'probabilities', width, 2)),
    named('if_pipe.onnx', () => readEnsemble(anomaly, 'anomaly_score', width, 1)),
  ];
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DangerousFile) throw new DangerousFile(`${file}: ${error.message}`);
    if (error instanceof Refusal) throw new Refusal(`${file}: ${error.message}`);
    throw error;
  }
}

function readEnsemble(bytes: Uint8Array, output: string, width: number, columns: 1 | 2): TreeEnsemble {
  const { ensemble, exponential } = readTreeGraph(bytes, { output, width, columns });
  const attributes = readAttributes(ensemble);
  if (attributes.outputs !== columns)
    throw new Refusal(`the trees give ${attributes.outputs} classes or targets, not ${columns}`);
  const { trees, logistic } = columns === 2 ? classifierOf(attributes, width) : regressorOf(attributes, width);
  if (logistic && exponential) throw new Refusal('an exponential follows a logistic function');
  return {
    trees,
    divisor: attributes.aggregate === 'AVERAGE' ? trees.shared.length : 1,
    base: baseOf(attributes),
    transform: logistic ? 'logistic' : exponential ? 'exponential' : 'none',
  };
}

interface Meaning {
  trees: TreeColumns;
  logistic: boolean;
}

/**
 * Two classes. Weights of one class only are the margin of the second one, as LightGBM's are: ONNX Runtime takes their sum as the
 * probability where none is negative, and else transforms it. Weights of both are two sums, of which the second one counts.
 */
function classifierOf(attributes: EnsembleAttributes, width: number): Meaning {
  const { leaves, baseValues, postTransform } = attributes;
  if (postTransform !== 'NONE' && postTransform !== 'LOGISTIC')
    throw new Refusal(`the post transform ${postTransform} is not taken`);
  const classes = new Set(leaves.ids);
  if ([...classes].some((id) => id !== 0 && id !== 1)) throw new Refusal('a weight is for a class that there is not');
  const oneSum = !classes.has(1);
  if (!oneSum && baseValues.length > 0) throw new Refusal('base values of two classes are not taken');
  const isProbability = oneSum && leaves.weights.every((weight) => weight >= 0);
  // Without a transform, ONNX Runtime turns the sign of a single sum round where it is not above zero.
  if (oneSum && !isProbability && postTransform === 'NONE')
    throw new Refusal('a single sum with negative weights and no transform is not taken');
  return {
    trees: readTrees(attributes.nodes, leaves, { width, output: oneSum ? 0 : 1 }),
    logistic: postTransform === 'LOGISTIC' && !isProbability,
  };
}

function regressorOf(attributes: EnsembleAttributes, width: number): Meaning {
  if (attributes.postTransform !== 'NONE')
    throw new Refusal(`the post transform ${attributes.postTransform} of a regressor is not taken`);
  if (attributes.aggregate !== 'SUM' && attributes.aggregate !== 'AVERAGE')
    throw new Refusal(`the aggregate function ${attributes.aggregate} is not taken`);
  if (attributes.leaves.ids.some((id) => id !== 0)) throw new Refusal('a weight is for a target that there is not');
  return { trees: readTrees(attributes.nodes, attributes.leaves, { width, output: 0 }), logistic: false };
}

function baseOf({ baseValues }: EnsembleAttributes): number {
  const [base = 0, ...others] = baseValues;
  if (others.length > 0) throw new Refusal('there is more than one base value');
  if (!Number.isFinite(base)) throw new Refusal('the base value is not finite');
  return base;
}
