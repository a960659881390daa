import protobuf from 'protobufjs/minimal.js';

// A writer of small ONNX models with tree ensembles, so that tests can make what no converter makes. Field numbers as published.

export interface TinyNode {
  mode?: string;
  feature?: number;
  threshold?: number;
  /** ids, which are the places in the list */
  yes?: number;
  no?: number;
  missingYes?: boolean;
  /** of a leaf; null leaves it out */
  weight?: number | null;
  count?: number;
}

export interface TinyEnsemble {
  kind: 'classifier' | 'regressor';
  trees: readonly (readonly TinyNode[])[];
  width: number;
  /** instead of, or beside, the attributes that the trees make; undefined leaves one out */
  attributes?: Record<string, number | string | number[] | string[] | undefined>;
  /** operators from the ensemble's output to the graph's, in order */
  then?: readonly string[];
  /** what the writer should do wrong */
  spoil?:
    | 'externalData'
    | 'externalFile'
    | 'subgraph'
    | 'tensor'
    | 'unknownOperator'
    | 'doubleInput'
    | 'functions'
    | 'noGraph';
  /** rows of counts beside the trees */
  counts?: boolean;
}

type Writer = protobuf.Writer;
const BYTES = 2;
const message = (field: number, bytes: Uint8Array, into: Writer): Writer =>
  into.uint32((field << 3) | BYTES).bytes(bytes);
const text = (field: number, value: string, into: Writer): Writer => into.uint32((field << 3) | BYTES).string(value);
const write = (fill: (into: Writer) => void): Uint8Array => {
  const into = protobuf.Writer.create();
  fill(into);
  return into.finish();
};

function attribute(name: string, value: number | string | number[] | string[]): Uint8Array {
  return write((into) => {
    text(1, name, into);
    if (typeof value === 'string')
      text(4, value, into)
        .uint32(20 << 3)
        .int32(3);
    else if (typeof value === 'number')
      into
        .uint32(3 << 3)
        .int64(value)
        .uint32(20 << 3)
        .int32(2);
    else {
      // ONNX Runtime, unlike the kernel, wants to be told the type: 6 floats, 7 ints, 8 strings.
      let type = 7;
      if (typeof value[0] === 'string') {
        type = 8;
        for (const one of value) text(9, one as string, into);
      } else if (/values|weights|hitrates/.test(name)) {
        type = 6;
        for (const one of value) into.uint32((7 << 3) | 5).float(one as number);
      } else for (const one of value) into.uint32(8 << 3).int64(one);
      into.uint32(20 << 3).int32(type);
    }
  });
}

function ensembleAttributes({ kind, trees, attributes = {}, counts }: TinyEnsemble): [string, Uint8Array][] {
  const nodes = trees.flatMap((tree, treeId) => tree.map((node, nodeId) => ({ treeId, nodeId, ...node })));
  const leaves = nodes.filter(({ weight }) => typeof weight === 'number');
  const leaf = kind === 'classifier' ? 'class' : 'target';
  const made = {
    nodes_treeids: nodes.map(({ treeId }) => treeId),
    nodes_nodeids: nodes.map(({ nodeId }) => nodeId),
    nodes_featureids: nodes.map(({ feature = 0 }) => feature),
    nodes_values: nodes.map(({ threshold = 0 }) => threshold),
    nodes_modes: nodes.map(({ mode, weight }) => mode ?? (weight === undefined ? 'BRANCH_LEQ' : 'LEAF')),
    nodes_truenodeids: nodes.map(({ yes = 0 }) => yes),
    nodes_falsenodeids: nodes.map(({ no = 0 }) => no),
    nodes_missing_value_tracks_true: nodes.map(({ missingYes }) => (missingYes === true ? 1 : 0)),
    ...(counts === true ? { nodes_hitrates: nodes.map(({ count = 0 }) => count) } : {}),
    [`${leaf}_treeids`]: leaves.map(({ treeId }) => treeId),
    [`${leaf}_nodeids`]: leaves.map(({ nodeId }) => nodeId),
    [`${leaf}_ids`]: leaves.map(() => 0),
    [`${leaf}_weights`]: leaves.map(({ weight }) => weight as number),
    ...(kind === 'classifier' ? { classlabels_int64s: [0, 1], post_transform: 'LOGISTIC' } : { n_targets: 1 }),
    ...attributes,
  };
  return Object.entries(made).flatMap(([name, value]) => (value === undefined ? [] : [[name, attribute(name, value)]]));
}

function operator(
  op: string,
  domain: string,
  [inputs, outputs]: string[][],
  attributes: Uint8Array[] = [],
): Uint8Array {
  return write((into) => {
    for (const name of inputs ?? []) text(1, name, into);
    for (const name of outputs ?? []) text(2, name, into);
    text(4, op, into);
    for (const one of attributes) message(5, one, into);
    text(7, domain, into);
  });
}

function end(name: string, columns: number, elementType = 1): Uint8Array {
  const dims = [write((into) => text(2, 'n', into)), write((into) => into.uint32(1 << 3).int64(columns))];
  const shape = write((into) => dims.forEach((dim) => message(1, dim, into)));
  const tensor = write((into) => message(2, shape, into.uint32(1 << 3).int32(elementType)));
  return write((into) =>
    message(
      2,
      write((type) => message(1, tensor, type)),
      text(1, name, into),
    ),
  );
}

function constant(spoil: TinyEnsemble['spoil']): Uint8Array {
  return write((into) => {
    into
      .uint32(2 << 3)
      .int32(1)
      .uint32((4 << 3) | 5)
      .float(1);
    text(8, 'one', into);
    if (spoil === 'externalData' || spoil === 'externalFile') into.uint32(14 << 3).int32(1);
    if (spoil === 'externalFile')
      message(
        13,
        write((entry) => text(2, '/etc/passwd', text(1, 'location', entry))),
        into,
      );
  });
}

/** The bytes of a model that takes `features` and gives `probabilities` or `anomaly_score`. */
export function tinyOnnx(ensemble: TinyEnsemble): Uint8Array {
  const { kind, width, then = [], spoil } = ensemble;
  const isClassifier = kind === 'classifier';
  const output = isClassifier ? 'probabilities' : 'anomaly_score';
  const names = then.map((_, index) => (index === then.length - 1 ? output : `v${index}`));
  const given = then.length === 0 ? output : 'raw';
  const attributes = ensembleAttributes(ensemble).map(([, bytes]) => bytes);
  if (spoil === 'subgraph') attributes.push(write((into) => message(6, new Uint8Array(0), text(1, 'g', into))));
  if (spoil === 'tensor')
    attributes.push(write((into) => message(5, new Uint8Array(0), text(1, 'nodes_values_as_tensor', into))));
  const nodes = [
    operator(
      isClassifier ? 'TreeEnsembleClassifier' : 'TreeEnsembleRegressor',
      'ai.onnx.ml',
      [['features'], isClassifier ? ['label', given] : [given]],
      attributes,
    ),
    ...then.map((op, index) => {
      const from = index === 0 ? 'raw' : (names[index - 1] as string);
      return operator(op, '', [op === 'Mul' ? [from, 'one'] : [from], [names[index] as string]]);
    }),
  ];
  if (spoil === 'unknownOperator') nodes.push(operator('Loop', '', [['features'], ['x']]));
  const graph = write((into) => {
    for (const one of nodes) message(1, one, into);
    text(2, 'tiny', into);
    message(5, constant(spoil), into);
    message(11, end('features', width, spoil === 'doubleInput' ? 11 : 1), into);
    message(12, end(output, isClassifier ? 2 : 1), into);
  });
  const opset = (domain: string, version: number) =>
    write((into) =>
      text(1, domain, into)
        .uint32(2 << 3)
        .int64(version),
    );
  return write((into) => {
    into.uint32(1 << 3).int64(8);
    if (spoil !== 'noGraph') message(7, graph, into);
    message(8, opset('', 17), into);
    message(8, opset('ai.onnx.ml', 3), into);
    if (spoil === 'functions') message(25, new Uint8Array(0), into);
  });
}
