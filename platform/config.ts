import { envSchema } from 'env-schema';
import Type, { type Static } from 'typebox';

/** Settings every process shares; each composition root parses them once. `.env.example` explains each. */
const Settings = Type.Object({
  TEMPORAL_ADDRESS: Type.String({ minLength: 1 }),
  TEMPORAL_NAMESPACE: Type.String({ default: 'default' }),
  TEMPORAL_UI_URL: Type.String({ default: '' }),
  MONGODB_URI: Type.String({ minLength: 1 }),
  MONGODB_DATABASE: Type.String({ default: 'sluice' }),
  S3_ENDPOINT: Type.String({ minLength: 1 }),
  S3_REGION: Type.String({ default: 'us-east-1' }),
  S3_BUCKET: Type.String({ default: 'sluice' }),
  S3_ACCESS_KEY_ID: Type.String({ minLength: 1 }),
  S3_SECRET_ACCESS_KEY: Type.String({ minLength: 1 }),
  MLFLOW_TRACKING_URI: Type.String({ minLength: 1 }),
  FX_SOURCE: Type.String({ default: 'ecb' }),
  FX_API_KEY: Type.String({ default: '' }),
  SLUICE_STATE_DIR: Type.String({ default: '.sluice' }),
  SLUICE_REPORTS_DIR: Type.String({ default: 'reports' }),
  SLUICE_PYTHON: Type.String({ default: 'python3' }),
  SLUICE_GIT_SHA: Type.String({ default: '' }),
  SLUICE_SIGNING_KEY_FILE: Type.String({ default: '' }),
  SLUICE_TRUSTED_KEYS_FILE: Type.String({ default: '' }),
  SLUICE_PRINCIPALS_FILE: Type.String({ default: '' }),
  SLUICE_ADMIN_TOKEN: Type.String({ default: '' }),
  SLUICE_AS_OF_OFFSET_DAYS: Type.String({ default: '' }),
  SLUICE_KEEP_VERSIONS: Type.Integer({ default: 10, minimum: 1 }),
  SLUICE_KEEP_DAYS: Type.Number({ default: 30, minimum: 0 }),
  SLACK_WEBHOOK_URL: Type.String({ default: '' }),
  SMTP_URL: Type.String({ default: '' }),
  ALERT_MAIL_FROM: Type.String({ default: '' }),
  ALERT_MAIL_TO: Type.String({ default: '' }),
  LOG_LEVEL: Type.String({ default: 'info' }),
  WORKER_METRICS_ADDRESS: Type.String({ default: '' }),
});

export type Settings = Static<typeof Settings>;

/**
 * Parses the environment; the error names every missing or malformed variable.
 * @param env the environment, handed in by the composition root
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  return envSchema<Settings>({ schema: Settings, data: env, dotenv: false });
}
