import type { OpenBundle } from '../bundles/open-bundle.js';

/** What columns are sent as. */
export type Datatype = 'BYTES' | 'FP64' | 'INT64' | 'BOOL';

/** A field of a bundle's request schema, as a tensor. */
export interface Field {
  /** named in the model's metadata */
  datatype: Datatype;
  /** all that are taken: in JSON a number is a number */
  accepts: ReadonlySet<string>;
  required: boolean;
  /** whether null is a value; else it says that a row has none */
  nullable: boolean;
}

const INTEGERS = ['INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'];
const BY_TYPE: Readonly<Record<string, [Datatype, ReadonlySet<string>]>> = {
  number: ['FP64', new Set(['FP64', 'FP32', 'FP16', ...INTEGERS])],
  integer: ['INT64', new Set(INTEGERS)],
  boolean: ['BOOL', new Set(['BOOL'])],
};
const TEXT: [Datatype, ReadonlySet<string>] = ['BYTES', new Set(['BYTES'])];

const known = new WeakMap<OpenBundle, ReadonlyMap<string, Field>>();

/** The fields that a transaction of this bundle may have, in the order of its request schema. */
export function fieldsOf(bundle: OpenBundle): ReadonlyMap<string, Field> {
  const found = known.get(bundle);
  if (found !== undefined) return found;
  const { properties = {}, required = [] } = bundle.loaded.requestSchema as {
    properties?: Record<string, { type?: string | string[] }>;
    required?: string[];
  };
  const fields = new Map<string, Field>();
  for (const [name, { type = 'string' }] of Object.entries(properties)) {
    const types = [type].flat();
    const [datatype, accepts] = BY_TYPE[types.find((one) => one !== 'null') ?? ''] ?? TEXT;
    fields.set(name, { datatype, accepts, required: required.includes(name), nullable: types.includes('null') });
  }
  known.set(bundle, fields);
  return fields;
}
