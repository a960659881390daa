import { mustBeShallow } from './depth.js';
import { Refusal } from './messages.js';
import { FLOAT, type OnnxConstant, type OnnxGraph, type OnnxNode, readGraph } from './onnx-file.js';

/** What a file must take and give. */
export interface GraphContract {
  /** the name of the output that is read */
  output: string;
  /** of the input `features` */
  width: number;
  /** of the output */
  columns: number;
}

/** One tree ensemble, and whether the exponential of what it gives is the answer. */
export interface TreeGraph {
  ensemble: OnnxNode;
  exponential: boolean;
}

const INPUT = 'features';
const ML = 'ai.onnx.ml';
const MAX_OPERATORS = 64;
const ENSEMBLES: Readonly<Record<string, number>> = { TreeEnsembleClassifier: 1, TreeEnsembleRegressor: 0 };

/**
 * Follows the output back to the ensemble that takes the features. In between may be copies, factors of one, and one exponential.
 * Operators that the output does not need (the class label) are not looked at, apart from being known ones.
 * @throws Refusal
 */
export function readTreeGraph(bytes: Uint8Array, contract: GraphContract): TreeGraph {
  const graph = readGraph(bytes);
  if (graph === null) throw new Refusal('the file has no graph');
  graph.nodes.forEach(mustBeShallow);
  for (const { op, domain } of graph.nodes) {
    const known = domain === ML ? op in ENSEMBLES : domain === '' && ['Identity', 'Cast', 'Mul', 'Exp'].includes(op);
    if (!known) throw new Refusal(`the operator ${domain === '' ? '' : `${domain}.`}${op} is not a tree ensemble`);
  }
  checkEnds(graph, contract);
  let exponential = false;
  let wanted = contract.output;
  for (let steps = 0; steps <= graph.nodes.length; steps += 1) {
    const node = producer(graph, wanted);
    if (node.op in ENSEMBLES) {
      if (node.outputs[ENSEMBLES[node.op] as number] !== wanted || node.inputs.length !== 1 || node.inputs[0] !== INPUT)
        throw new Refusal(`${node.op} does not lead from "${INPUT}" to "${contract.output}"`);
      return { ensemble: node, exponential };
    }
    if (node.attributes.length > 0) throw new Refusal(`${node.op} before the output has attributes`);
    if (node.op === 'Exp') {
      if (exponential) throw new Refusal('two exponentials follow one another');
      exponential = true;
    }
    wanted = sourceOf(node, graph.constants);
  }
  throw new Refusal('the operators form a circle');
}

function checkEnds({ nodes, inputs, outputs }: OnnxGraph, { output, width, columns }: GraphContract): void {
  if (nodes.length > MAX_OPERATORS) throw new Refusal(`the graph has ${nodes.length} operators`);
  const [input, ...others] = inputs;
  if (input?.name !== INPUT || others.length > 0) throw new Refusal(`the graph must take "${INPUT}" alone`);
  if (input.elementType !== FLOAT || input.dims.length !== 2 || input.dims[1] !== width)
    throw new Refusal(`"${INPUT}" must be float32 with ${width} columns`);
  const found = outputs.find(({ name }) => name === output);
  if (found?.elementType !== FLOAT) throw new Refusal(`the graph must give "${output}" in float32`);
  if (found.dims.length === 2 && found.dims[1] !== -1 && found.dims[1] !== columns)
    throw new Refusal(`"${output}" must have ${columns} columns`);
}

function producer({ nodes }: OnnxGraph, name: string): OnnxNode {
  const [node, ...others] = nodes.filter(({ outputs }) => outputs.includes(name));
  if (node === undefined) throw new Refusal(`nothing gives "${name}"`);
  if (others.length > 0) throw new Refusal(`two operators give "${name}"`);
  return node;
}

/** The name of the value that an operator between ensemble and output passes on. */
function sourceOf({ op, inputs }: OnnxNode, constants: readonly OnnxConstant[]): string {
  if (op === 'Cast') throw new Refusal('Cast stands before the output');
  if (op !== 'Mul') {
    if (inputs.length !== 1) throw new Refusal(`${op} takes ${inputs.length} values`);
    return inputs[0] as string;
  }
  const [source, factor] = inputs;
  if (inputs.length !== 2 || source === undefined || !isOne(constants.find(({ name }) => name === factor)))
    throw new Refusal('Mul stands before the output, with something else than the number 1');
  return source;
}

function isOne(constant: OnnxConstant | undefined): boolean {
  if (constant?.type !== FLOAT) return false;
  const { values, raw } = constant;
  if (raw.length === 0) return values.length === 1 && values[0] === 1;
  return (
    values.length === 0 && raw.length === 4 && new DataView(raw.buffer, raw.byteOffset, 4).getFloat32(0, true) === 1
  );
}
