import Type, { type Static } from 'typebox';

// The API's answers, once: types for the code, schemas for serialisation and for the OpenAPI document. What a request may hold is not
// here: each bundle brings its own request schema.

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Violations = Type.Array(
  Type.Object({ path: Type.String({ description: 'JSON pointer into the request' }), message: Type.String() }),
);

export const ApiError = Type.Object({
  error: Type.Object({
    type: Type.Enum([
      'InvalidInput',
      'NotAuthorised',
      'NotFound',
      'Conflict',
      'TooManyRequests',
      'Unavailable',
      'Internal',
    ]),
    message: Type.String(),
    violations: Type.Optional(Violations),
  }),
  request_id: Type.String(),
});
export type ApiError = Static<typeof ApiError>;

export const Versions = Type.Object({
  model: Type.String(),
  model_version: Type.String({ description: 'version in the MLflow registry' }),
  bundle_version: Type.String(),
  manifest_sha256: Type.String(),
  generation: Nullable(Type.Integer({ description: 'of the pointer; null for a pinned bundle' })),
  thresholds_sha256: Type.String(),
  fx_last_updated: Nullable(Type.String()),
});
export type Versions = Static<typeof Versions>;

const Decision = Type.Enum(['alert', 'pass']);

const Explanation = Type.Object(
  {
    margin: Type.Number({
      description:
        "what the model's trees add up to: the score's log-odds, where the model ends in a logistic function",
    }),
    base_value: Type.Number({ description: 'the margin that the training rows have on average' }),
    contributions: Type.Array(
      Type.Object({
        feature: Type.String(),
        value: Nullable(Type.Number({ description: "the feature's; null for a missing one" })),
        contribution: Type.Number({ description: 'its SHAP value' }),
      }),
      { description: 'every feature, the largest effect first; with the base value they add up to the margin' },
    ),
  },
  { description: 'with `explain=true` only' },
);
export type Explanation = Static<typeof Explanation>;

export const ScoredTransaction = Type.Object({
  transaction_id: Type.String(),
  score: Type.Number({ description: "the model's raw score" }),
  calibrated_probability: Type.Number({ description: 'probability of fraud; thresholds apply to this' }),
  anomaly_score: Type.Number({ description: 'higher is more anomalous' }),
  decision: Decision,
  decided_by: Type.Object({
    kind: Type.Enum(['rule', 'threshold']),
    name: Type.String(),
    value: Type.Number({ description: 'what was compared' }),
    limit: Type.Number({ description: 'with what' }),
  }),
  threshold: Type.Number({ description: "the operating threshold of the transaction's segment" }),
  reason_codes: Type.Array(
    Type.Object({ code: Type.String(), text: Type.String(), feature: Type.String(), value: Type.Number() }),
  ),
  notices: Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
    description: 'null policies that were applied',
  }),
  explanation: Type.Optional(Explanation),
});
export type ScoredTransaction = Static<typeof ScoredTransaction>;

export const ScoreResponse = Type.Object({
  request_id: Type.String(),
  results: Type.Array(ScoredTransaction),
  versions: Versions,
});
export type ScoreResponse = Static<typeof ScoreResponse>;

export const FeedbackLabel = Type.Object(
  {
    transaction_id: Type.String({ minLength: 1, maxLength: 128 }),
    is_fraud: Type.Boolean(),
    labeled_at: Type.String({
      format: 'date-time',
      description: 'when it became known, RFC 3339 with an offset: not in the future, not before the booking',
    }),
    source: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'who says so, for example a case system' }),
    ),
  },
  { additionalProperties: false },
);
export type FeedbackLabel = Static<typeof FeedbackLabel>;

export const FeedbackRecorded = Type.Object({
  request_id: Type.String(),
  recorded: Type.Integer({ description: 'new, or later than what was known' }),
  unchanged: Type.Integer({ description: 'known already' }),
  older: Type.Integer({ description: 'something as late or later is known, which stays' }),
  transactions_updated: Type.Integer({ description: 'transactions whose own label followed, for the next training' }),
  unknown_transactions: Type.Integer({ description: "labels whose transaction is not in the model's collection" }),
  unknown_ids: Type.Optional(Type.Array(Type.String(), { description: 'the first 20 of their ids' })),
});
export type FeedbackRecorded = Static<typeof FeedbackRecorded>;

export const PredictionLogCounters = Type.Object(
  {
    written: Type.Integer(),
    dropped: Type.Integer({ description: 'for want of room, refused by the database, or left over at a shutdown' }),
    pending: Type.Integer(),
    failed_batches: Type.Integer({ description: 'attempts to write that failed; what they held is tried again' }),
  },
  { description: 'predictions since the start of this replica' },
);

export const Live = Type.Object({ status: Type.Enum(['live']) });
export const Started = Type.Object({ status: Type.Enum(['started', 'starting']) });

export const Health = Type.Object({
  status: Type.Enum(['ready', 'not ready']),
  reasons: Type.Array(Type.String(), { description: 'why not ready' }),
  notices: Type.Array(Type.String(), { description: 'what an operator should know although it serves' }),
  replica: Type.String(),
  generation: Nullable(Type.Integer()),
  bundle_version: Nullable(Type.String()),
  prediction_log: Nullable(PredictionLogCounters),
});
export type Health = Static<typeof Health>;

const bundleFacts = {
  model: Type.String(),
  model_version: Type.String(),
  mlflow_run_id: Type.String(),
  git_sha: Type.String(),
  trained_at: Type.String(),
  as_of: Type.String(),
  data_snapshot_id: Type.String(),
  release_id: Type.String(),
  bundle_version: Type.String(),
  parent_version: Nullable(Type.String()),
  manifest_sha256: Type.String(),
  content_sha256: Type.String(),
  artifact_checksums: Type.Record(Type.String(), Type.String(), { description: 'file → SHA-256' }),
  thresholds_sha256: Type.String(),
  thresholds: Type.Object({ threshold: Type.Number(), per_category: Type.Record(Type.String(), Type.Number()) }),
  lookups: Type.Record(
    Type.String(),
    Type.Object({ version: Type.String(), sha256: Type.String(), as_of: Type.String(), created_at: Type.String() }),
  ),
  fx_last_updated: Nullable(Type.String()),
  fx: Nullable(
    Type.Object({
      last_updated: Type.String({ description: 'when the rates were made' }),
      fixing_date: Type.String({ description: 'the day of the newest fixing among them' }),
      age_days: Type.Integer({
        description:
          'whole days from that day to now: how old the rate is that a transaction booked now is converted at',
      }),
    }),
  ),
  metrics: Type.Record(Type.String(), Type.Number()),
  engine: Type.Enum(['kernel', 'onnxruntime'], { description: 'what runs its models' }),
  kernel_refusal: Nullable(Type.String({ description: 'why ONNX Runtime runs them and not the kernel' })),
};
const BundleFacts = Type.Object(bundleFacts);
export type BundleFacts = Static<typeof BundleFacts>;

export const Metadata = Type.Object({
  ...bundleFacts,
  candidate: Nullable(
    Type.Object(
      {
        ...bundleFacts,
        weight: Type.Number({ description: 'share of the customers that it answers' }),
        salt: Type.String({ description: 'which draw of customers' }),
        mode: Type.Enum(['canary', 'shadow']),
      },
      { description: 'the bundle on trial beside the one above; null when there is none' },
    ),
  ),
  replica: Type.String(),
  environment: Type.String(),
  generation: Nullable(Type.Integer()),
  from: Type.Enum(['store', 'cache', 'pinned']),
  loaded_at: Type.String(),
  stale_since: Nullable(
    Type.String({
      description:
        'when this was last seen to be what the pointer names; null while the pointer can be followed, or when pinned',
    }),
  ),
  prediction_log: Nullable(PredictionLogCounters),
});
export type Metadata = Static<typeof Metadata>;

export const Reloaded = Type.Object({
  outcome: Type.Enum(['loaded', 'current'], { description: 'current: this was live already' }),
  bundle_version: Type.String(),
  manifest_sha256: Type.String(),
  generation: Nullable(Type.Integer({ description: 'of the pointer; null for a pinned bundle' })),
  loaded_in_ms: Type.Number(),
});
export type Reloaded = Static<typeof Reloaded>;
