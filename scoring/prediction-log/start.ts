import type { Logger } from 'pino';
import type { ScorerSettings } from '../settings.js';
import type { Where } from './documents.js';
import { createPredictionLog, type PredictionLog } from './prediction-log.js';
import { createThreadWriter } from './writer.js';

/** An attempt to write ends after this; in between lies a network. */
const TIMEOUT_MS = 10_000;

/** The prediction log that the settings ask for; null when it is off, or there is no database. */
export function startPredictionLog(
  settings: ScorerSettings,
  where: Where,
  log: Logger,
  threadFile?: URL,
): PredictionLog | null {
  if (settings.SCORER_PREDICTION_LOG === 'off' || settings.MONGODB_URI === '') return null;
  const writer = createThreadWriter(
    {
      ...where,
      uri: settings.MONGODB_URI,
      database: settings.MONGODB_DATABASE,
      retentionDays: settings.SCORER_PREDICTION_RETENTION_DAYS,
      timeoutMs: TIMEOUT_MS,
    },
    threadFile,
  );
  const bounds = { rows: settings.SCORER_PREDICTION_MAX_ROWS, bytes: settings.SCORER_PREDICTION_MAX_BYTES };
  return createPredictionLog({ writer, bounds, log });
}
