import { SluiceError } from '../../platform/errors.js';
import { FIGURES, type ScoredRows } from '../bundles/scored-rows.js';
import type { Versions } from './api-schemas.js';
import type { InferenceResponse, ResponseTensor, TensorMetadata } from './inference-schemas.js';

type Column = (transactions: readonly unknown[], scored: ScoredRows) => ResponseTensor['data'];

const figure =
  (at: number): Column =>
  (_transactions, { rows, figures }) =>
    Array.from({ length: rows }, (_, row) => figures[row * FIGURES + at] as number);

/** What is answered for each transaction, in this order. */
const OUTPUTS = new Map<string, { datatype: 'BYTES' | 'FP64'; column: Column }>([
  [
    'transaction_id',
    {
      datatype: 'BYTES',
      column: (transactions) => transactions.map((one) => (one as { transaction_id: string }).transaction_id),
    },
  ],
  ['score', { datatype: 'FP64', column: figure(0) }],
  ['calibrated_probability', { datatype: 'FP64', column: figure(1) }],
  ['anomaly_score', { datatype: 'FP64', column: figure(2) }],
  [
    'decision',
    {
      datatype: 'BYTES',
      column: (_transactions, { rows, figures }) =>
        Array.from({ length: rows }, (_, row) => (figures[row * FIGURES + 4] === 1 ? 'alert' : 'pass')),
    },
  ],
  ['threshold', { datatype: 'FP64', column: figure(3) }],
]);

export const OUTPUT_METADATA: TensorMetadata[] = [...OUTPUTS].map(([name, { datatype }]) => ({
  name,
  datatype,
  shape: [-1],
}));

/**
 * The names of the outputs that a request asks for; all of them, if none.
 * @throws SluiceError InvalidInput
 */
export function outputsOf(outputs: unknown): string[] {
  if (outputs === undefined || outputs === null) return [...OUTPUTS.keys()];
  if (!Array.isArray(outputs)) throw new SluiceError('InvalidInput', '/outputs must be a list');
  const names = outputs.map((output: unknown, index) => {
    const { name, parameters } = (output ?? {}) as { name?: unknown; parameters?: { binary_data?: unknown } | null };
    if (typeof name !== 'string' || !OUTPUTS.has(name))
      throw new SluiceError(
        'InvalidInput',
        `/outputs/${index}/name is ${JSON.stringify(name)}; there are ${[...OUTPUTS.keys()].join(', ')}`,
      );
    if (parameters?.binary_data === true)
      throw new SluiceError('InvalidInput', `/outputs/${index}/parameters/binary_data is not given: data is JSON`);
    return name;
  });
  return names.length === 0 ? [...OUTPUTS.keys()] : names;
}

export function inferenceAnswer(
  given: { id: string | undefined; requestId: string; outputs: readonly string[] },
  versions: Versions,
  transactions: readonly unknown[],
  scored: ScoredRows,
): InferenceResponse {
  const { model, model_version, bundle_version, manifest_sha256, thresholds_sha256, generation } = versions;
  return {
    model_name: model,
    model_version,
    ...(given.id === undefined ? {} : { id: given.id }),
    parameters: {
      request_id: given.requestId,
      bundle_version,
      manifest_sha256,
      thresholds_sha256,
      // The protocol's parameters are never null.
      ...(generation === null ? {} : { generation }),
    },
    outputs: given.outputs.flatMap((name) => {
      const output = OUTPUTS.get(name);
      if (output === undefined) return [];
      const { datatype, column } = output;
      const data = column(transactions, scored);
      const content = datatype === 'BYTES' ? { parameters: { content_type: 'str' } } : {};
      return [{ name, datatype, shape: [scored.rows], ...content, data }];
    }),
  };
}
