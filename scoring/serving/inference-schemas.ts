import Type, { type Static } from 'typebox';
import { Violations } from './api-schemas.js';

// The shapes of the Open Inference Protocol, version 2.

const PARAMETERS = 'of the protocol: a flat object of texts, numbers and booleans';
const Parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
  description: PARAMETERS,
});
const Shape = Type.Array(Type.Integer());

const RequestTensor = Type.Object({
  name: Type.String({ description: 'a field of a transaction; or `transactions`, alone: each text is one as JSON' }),
  datatype: Type.String({ description: 'BYTES, FP64, INT64 or BOOL; metadata says which' }),
  shape: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 2, description: '[n] or [n, 1]' }),
  parameters: Type.Optional(Parameters),
  data: Type.Array(Type.Unknown(), { description: 'n values' }),
});

export const InferenceRequest = Type.Object({
  id: Type.Optional(Type.String({ description: 'given back' })),
  parameters: Type.Optional(Parameters),
  inputs: Type.Array(RequestTensor, { minItems: 1 }),
  outputs: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), parameters: Type.Optional(Parameters) }), {
      description: 'which to give, in this order; all without it',
    }),
  ),
});

const ResponseTensor = Type.Object({
  name: Type.String(),
  datatype: Type.Enum(['BYTES', 'FP64']),
  shape: Shape,
  parameters: Type.Optional(Parameters),
  data: Type.Union([Type.Array(Type.String()), Type.Array(Type.Number())]),
});
export type ResponseTensor = Static<typeof ResponseTensor>;

export const InferenceResponse = Type.Object({
  model_name: Type.String(),
  model_version: Type.String({ description: 'version in the MLflow registry' }),
  id: Type.Optional(Type.String()),
  parameters: Type.Object({
    request_id: Type.String(),
    bundle_version: Type.String(),
    manifest_sha256: Type.String(),
    thresholds_sha256: Type.String(),
    generation: Type.Optional(Type.Integer({ description: 'of the pointer; none for a pinned bundle' })),
  }),
  outputs: Type.Array(ResponseTensor),
});
export type InferenceResponse = Static<typeof InferenceResponse>;

/** As the protocol has it, with what `/v1` tells beside it. */
export const InferenceError = Type.Object({
  error: Type.String(),
  type: Type.String(),
  violations: Type.Optional(Violations),
  request_id: Type.String(),
});
export type InferenceError = Static<typeof InferenceError>;

export const ServerMetadata = Type.Object({
  name: Type.String(),
  version: Type.String(),
  extensions: Type.Array(Type.String()),
});
export type ServerMetadata = Static<typeof ServerMetadata>;

export const ServerLive = Type.Object({ live: Type.Boolean() });
export type ServerLive = Static<typeof ServerLive>;
export const ServerReady = Type.Object({ ready: Type.Boolean() });
export const ModelReady = Type.Object({ name: Type.String(), ready: Type.Boolean() });

const TensorMetadata = Type.Object({
  name: Type.String(),
  datatype: Type.Enum(['BYTES', 'FP64', 'INT64', 'BOOL']),
  shape: Shape,
});
export type TensorMetadata = Static<typeof TensorMetadata>;

export const ModelMetadata = Type.Object({
  name: Type.String(),
  versions: Type.Array(Type.String(), { description: 'the live one' }),
  platform: Type.String(),
  inputs: Type.Array(TensorMetadata),
  outputs: Type.Array(TensorMetadata),
});
export type ModelMetadata = Static<typeof ModelMetadata>;

const model = Type.String({ description: 'the live one: `GET /v1/metadata` names it' });
export const ModelParams = Type.Object({ model });
export const ModelVersionParams = Type.Object({ model, version: Type.String() });
