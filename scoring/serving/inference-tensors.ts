import { SluiceError } from '../../platform/errors.js';
import { parseJsonBody } from './json-body.js';
import type { Field } from './inference-fields.js';

/** The one tensor that may stand for all fields: a transaction as JSON in each of its texts. */
export const WHOLE = 'transactions';

/** The transactions of a request's tensors, and where each of their fields came from. */
export interface FromTensors {
  transactions: unknown[];
  /** @param field undefined for the transaction as a whole */
  pathOf: (row: number, field: string | undefined) => string;
}

interface Tensor {
  name: string;
  datatype: string;
  rows: number;
  data: readonly unknown[];
  path: string;
}

/**
 * Tensors of the Open Inference Protocol as transactions: one for each field, or `transactions` alone. What the values must be is for the
 * bundle's request schema to say.
 * @param inputs as they came
 * @throws SluiceError InvalidInput that names the JSON pointer of what is wrong
 */
export function transactionsOf(
  inputs: unknown,
  fields: ReadonlyMap<string, Field>,
  maxTransactions: number,
): FromTensors {
  if (!Array.isArray(inputs) || inputs.length === 0) throw refusal('/inputs', 'must be a list of at least one tensor');
  if (inputs.length > fields.size)
    throw refusal('/inputs', `has ${inputs.length} tensors; a transaction has ${fields.size} fields`);
  const tensors = inputs.map((input, index) => readTensor(input, `/inputs/${index}`));
  const [first] = tensors as [Tensor];
  if (first.rows > maxTransactions)
    throw refusal(`${first.path}/shape`, `is of ${first.rows} rows; at most ${maxTransactions} fit into one request`);
  if (first.name === WHOLE && !fields.has(WHOLE)) return fromTexts(first, tensors.length);
  return fromColumns(tensors, first, fields);
}

function fromTexts({ path, datatype, data }: Tensor, tensors: number): FromTensors {
  if (tensors > 1) throw refusal(path, `"${WHOLE}" holds whole transactions, so it must be the only tensor`);
  if (datatype !== 'BYTES') throw refusal(`${path}/datatype`, 'must be BYTES');
  const transactions = data.map((text, row) => {
    if (typeof text !== 'string') throw refusal(`${path}/data/${row}`, 'must be a text');
    try {
      return parseJsonBody(Buffer.from(text));
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      throw refusal(`${path}/data/${row}`, error.message.replace('the body', 'the text'));
    }
  });
  // A pointer ends at the text; what is meant inside it is one further on.
  return { transactions, pathOf: (row, field) => `${path}/data/${row}${field === undefined ? '' : `/${field}`}` };
}

function fromColumns(tensors: readonly Tensor[], first: Tensor, fields: ReadonlyMap<string, Field>): FromTensors {
  const paths = new Map<string, string>();
  const transactions = Array.from({ length: first.rows }, (): Record<string, unknown> => ({}));
  for (const { name, datatype, rows, data, path } of tensors) {
    const field = fields.get(name);
    if (field === undefined)
      throw refusal(`${path}/name`, `is ${JSON.stringify(name)}; a transaction has ${[...fields.keys()].join(', ')}`);
    if (paths.has(name)) throw refusal(`${path}/name`, `is ${JSON.stringify(name)}, as that of another tensor`);
    if (!field.accepts.has(datatype))
      throw refusal(`${path}/datatype`, `is ${datatype}; "${name}" is ${[...field.accepts].join(' or ')}`);
    if (rows !== first.rows)
      throw refusal(`${path}/shape`, `is of ${rows} rows, that of "${first.name}" of ${first.rows}`);
    paths.set(name, path);
    for (let row = 0; row < rows; row += 1) {
      const value = data[row];
      if (value !== null || field.nullable) (transactions[row] as Record<string, unknown>)[name] = value;
    }
  }
  for (const [name, { required }] of fields)
    if (required && !paths.has(name)) throw refusal('/inputs', `has no tensor "${name}"`);
  return {
    transactions,
    pathOf: (row, field) => {
      const path = paths.get(field ?? '');
      return path === undefined ? '/inputs' : `${path}/data/${row}`;
    },
  };
}

function readTensor(input: unknown, path: string): Tensor {
  if (typeof input !== 'object' || input === null) throw refusal(path, 'must be a tensor');
  const { name, datatype, shape, data, parameters } = input as Record<string, unknown>;
  if (typeof name !== 'string') throw refusal(`${path}/name`, 'must be a text');
  if (typeof datatype !== 'string') throw refusal(`${path}/datatype`, 'must be a text');
  const { binary_data_size: binary, content_type: content } = (parameters ?? {}) as Record<string, unknown>;
  if (binary !== undefined) throw refusal(`${path}/parameters/binary_data_size`, 'is not taken: send data as JSON');
  if (content === 'base64') throw refusal(`${path}/parameters/content_type`, 'is base64; send texts as they are');
  const [rows, columns, ...more] = Array.isArray(shape) ? (shape as unknown[]) : [];
  if (!Number.isInteger(rows) || (rows as number) < 1 || (columns ?? 1) !== 1 || more.length > 0)
    throw refusal(`${path}/shape`, 'must be [n] or [n, 1], with one row at least');
  if (!Array.isArray(data)) throw refusal(`${path}/data`, 'must be a list');
  // [n, 1] may come as rows of one value each.
  const flat = data.map((value: unknown) => (columns === 1 && Array.isArray(value) ? oneOf(value, path) : value));
  if (flat.length !== rows)
    throw refusal(`${path}/data`, `has ${flat.length} values, and the shape says ${String(rows)}`);
  return { name, datatype, rows, data: flat, path };
}

function oneOf(values: unknown[], path: string): unknown {
  if (values.length !== 1) throw refusal(`${path}/data`, 'has a row that is not of one value');
  return values[0];
}

function refusal(path: string, message: string): SluiceError {
  return new SluiceError('InvalidInput', `${path} ${message}`);
}
