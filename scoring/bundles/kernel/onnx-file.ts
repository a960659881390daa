import { decode, field, type Message } from './messages.js';

// The part of ONNX's messages (onnx.proto3, field numbers as published) that a graph of tree ensembles is made of.

export interface OnnxAttribute {
  name: string;
  f: number;
  i: number;
  s: string;
  floats: number[];
  ints: number[];
  strings: string[];
}

export interface OnnxNode {
  op: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: OnnxAttribute[];
}

/** A constant of the graph; `values` are its float32 values. */
export interface OnnxConstant {
  name: string;
  type: number;
  values: number[];
  raw: Uint8Array;
}

/** An input or output: `dims` has -1 for a length that is open. */
export interface OnnxValue {
  name: string;
  elementType: number;
  dims: number[];
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  constants: OnnxConstant[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

export const FLOAT = 1;

const attribute: Message<OnnxAttribute> = {
  name: 'an attribute',
  empty: () => ({ name: '', f: 0, i: 0, s: '', floats: [], ints: [], strings: [] }),
  fields: {
    1: field.text((into, value) => (into.name = value)),
    2: field.float((into, value) => (into.f = value)),
    3: field.int((into, value) => (into.i = value)),
    4: field.text((into, value) => (into.s = value)),
    5: field.refused('an attribute holds a tensor'),
    6: field.refused('an attribute holds a subgraph'),
    7: field.numbers(5, (into) => into.floats),
    8: field.numbers(0, (into) => into.ints),
    9: field.text((into, value) => into.strings.push(value), true),
    10: field.refused('an attribute holds tensors'),
    11: field.refused('an attribute holds subgraphs'),
    13: field.ignored(),
    20: field.ignored(0),
    21: field.refused('an attribute refers to a function'),
  },
};

const node: Message<OnnxNode> = {
  name: 'an operator',
  empty: () => ({ op: '', domain: '', inputs: [], outputs: [], attributes: [] }),
  fields: {
    1: field.text((into, value) => into.inputs.push(value), true),
    2: field.text((into, value) => into.outputs.push(value), true),
    3: field.ignored(),
    4: field.text((into, value) => (into.op = value)),
    5: field.nested(attribute, (into, value) => into.attributes.push(value), true),
    6: field.ignored(),
    7: field.text((into, value) => (into.domain = value)),
    9: field.ignored(),
  },
};

const constant: Message<OnnxConstant> = {
  name: 'a constant',
  empty: () => ({ name: '', type: 0, values: [], raw: new Uint8Array(0) }),
  fields: {
    1: field.numbers(0, () => []),
    2: field.int((into, value) => (into.type = value)),
    4: field.numbers(5, (into) => into.values),
    // of other types than float32, which no operator taken here uses
    5: field.ignored(),
    6: field.ignored(),
    7: field.ignored(),
    8: field.text((into, value) => (into.name = value)),
    9: field.bytes((into, value) => (into.raw = value)),
    10: field.ignored(),
    11: field.ignored(),
    12: field.ignored(),
    13: field.refused('a constant lies in another file (external data)'),
    14: field.refused('a constant lies in another file (external data)', 0),
  },
};

const dimension: Message<{ length: number }> = {
  name: 'a dimension',
  empty: () => ({ length: -1 }),
  fields: { 1: field.int((into, value) => (into.length = value)), 2: field.ignored(), 3: field.ignored() },
};

const shape: Message<{ dims: number[] }> = {
  name: 'a shape',
  empty: () => ({ dims: [] }),
  fields: { 1: field.nested(dimension, (into, { length }) => into.dims.push(length), true) },
};

const tensorType: Message<Omit<OnnxValue, 'name'>> = {
  name: 'a type',
  empty: () => ({ elementType: 0, dims: [] }),
  fields: {
    1: field.int((into, value) => (into.elementType = value)),
    2: field.nested(shape, (into, { dims }) => (into.dims = dims)),
  },
};

const type: Message<Omit<OnnxValue, 'name'>> = {
  name: 'a type',
  empty: () => ({ elementType: 0, dims: [] }),
  fields: { 1: field.nested(tensorType, (into, value) => Object.assign(into, value)), 6: field.ignored() },
};

const value: Message<OnnxValue> = {
  name: 'an input or output',
  empty: () => ({ name: '', elementType: 0, dims: [] }),
  fields: {
    1: field.text((into, name) => (into.name = name)),
    2: field.nested(type, (into, { elementType, dims }) => Object.assign(into, { elementType, dims })),
    3: field.ignored(),
    4: field.ignored(),
  },
};

const graph: Message<OnnxGraph> = {
  name: 'the graph',
  empty: () => ({ nodes: [], constants: [], inputs: [], outputs: [] }),
  fields: {
    1: field.nested(node, (into, one) => into.nodes.push(one), true),
    2: field.ignored(),
    5: field.nested(constant, (into, one) => into.constants.push(one), true),
    10: field.ignored(),
    11: field.nested(value, (into, one) => into.inputs.push(one), true),
    12: field.nested(value, (into, one) => into.outputs.push(one), true),
    // types of values in between: ONNX Runtime infers them
    13: field.ignored(),
    15: field.refused('a constant is sparse'),
    16: field.ignored(),
  },
};

const model: Message<{ graph: OnnxGraph | null }> = {
  name: 'the model',
  empty: () => ({ graph: null }),
  fields: {
    1: field.ignored(0),
    2: field.ignored(),
    3: field.ignored(),
    4: field.ignored(),
    5: field.ignored(0),
    6: field.ignored(),
    7: field.nested(graph, (into, one) => (into.graph = one)),
    // the operators' versions: what they mean is the same in all that have the attributes taken here
    8: field.ignored(),
    14: field.ignored(),
    20: field.refused('the model says how it is trained'),
    25: field.refused('the model has functions of its own'),
  },
};

/**
 * The graph of an ONNX file. What is not needed for a graph of tree ensembles, and may mean something, is refused.
 * @throws Refusal
 */
export function readGraph(bytes: Uint8Array): OnnxGraph | null {
  return decode(model, bytes).graph;
}
