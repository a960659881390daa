import { availableParallelism, hostname } from 'node:os';
import { envSchema } from 'env-schema';
import Type, { type Static } from 'typebox';

const milliseconds = (value: number) => Type.Integer({ minimum: 1, default: value });

/**
 * A scorer's settings. Unlike the workers' (platform/config.ts) nothing that can be down is required: a scorer starts and serves without
 * Temporal, MongoDB and S3, so an empty address means "not used here". `.env.example` explains each.
 */
const Settings = Type.Object({
  SCORER_HOST: Type.String({ default: '127.0.0.1' }),
  /** 0: any free port, which the log then names */
  SCORER_PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 8080 }),
  /** where others reach this replica; the address it listens on, if not set */
  SCORER_ADVERTISED_URL: Type.String({ default: '' }),
  /** letters, digits, `.`, `_`, `-`: part of a queue's and a directory's name */
  SCORER_REPLICA_ID: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', default: defaultReplicaId() }),
  SCORER_ENVIRONMENT: Type.Union([Type.Literal('production'), Type.Literal('staging')], { default: 'production' }),
  SCORER_MODEL: Type.String({ default: 'ulb_gbdt' }),
  /** directory of a bundle to serve whatever the pointer says */
  ARTIFACTS_DIR: Type.String({ default: '' }),
  /** between looks at its manifest; 0: none */
  SCORER_WATCH_MS: Type.Integer({ minimum: 0, default: 1_000 }),
  SLUICE_MODELS_DIR: Type.String({ default: '' }),

  /** that answer requests, each on a core of its own; with more than one, this process only controls them */
  SCORER_PROCESSES: Type.Integer({ minimum: 1, maximum: 64, default: availableParallelism() }),
  SCORER_MAX_TRANSACTIONS: Type.Integer({ minimum: 1, default: 1000 }),
  SCORER_BODY_BYTES: Type.Integer({ minimum: 1024, default: 1024 * 1024 }),
  SCORER_RATE_PER_MINUTE: Type.Integer({ minimum: 0, default: 0 }),
  /** a request that has waited longer when its turn comes is answered 503 */
  SCORER_MAX_WAIT_MS: milliseconds(1_000),
  /** share of the requests that get a line in the log: 1 all, 0 none */
  SCORER_REQUEST_LOG: Type.Number({ minimum: 0, maximum: 1, default: 0.01 }),
  SCORER_LEASE_MS: milliseconds(10_000),
  SCORER_RENEW_MS: milliseconds(2_000),
  SCORER_POLL_MS: milliseconds(30_000),
  /** whether what is scored is written to MongoDB (`prediction_log`), off the request's path */
  SCORER_PREDICTION_LOG: Type.Union([Type.Literal('on'), Type.Literal('off')], { default: 'on' }),
  SCORER_PREDICTION_RETENTION_DAYS: Type.Number({ exclusiveMinimum: 0, default: 180 }),
  /** what may wait in memory; the oldest is dropped beyond it */
  SCORER_PREDICTION_MAX_ROWS: Type.Integer({ minimum: 1, default: 50_000 }),
  SCORER_PREDICTION_MAX_BYTES: Type.Integer({ minimum: 1024, default: 64 * 1024 * 1024 }),
  SCORER_DRAIN_MS: Type.Integer({ minimum: 0, default: 2_000 }),

  TEMPORAL_ADDRESS: Type.String({ default: '' }),
  TEMPORAL_NAMESPACE: Type.String({ default: 'default' }),
  MONGODB_URI: Type.String({ default: '' }),
  MONGODB_DATABASE: Type.String({ default: 'sluice' }),
  S3_ENDPOINT: Type.String({ default: '' }),
  S3_REGION: Type.String({ default: 'us-east-1' }),
  S3_BUCKET: Type.String({ default: 'sluice' }),
  S3_ACCESS_KEY_ID: Type.String({ default: '' }),
  S3_SECRET_ACCESS_KEY: Type.String({ default: '' }),
  SLUICE_STATE_DIR: Type.String({ default: '.sluice' }),
  SLUICE_TRUSTED_KEYS_FILE: Type.String({ minLength: 1 }),
  SLUICE_ADMIN_TOKEN: Type.String({ default: '' }),
  LOG_LEVEL: Type.String({ default: 'info' }),
});

export type ScorerSettings = Static<typeof Settings>;

/** @throws Error that names every missing or malformed variable */
export function loadScorerSettings(env: NodeJS.ProcessEnv): ScorerSettings {
  return envSchema<ScorerSettings>({ schema: Settings, data: env, dotenv: false });
}

/** A pod's name is its host's, and stays the same for a restarted container. */
function defaultReplicaId(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 63) || 'scorer'
  );
}
