import type { Settings } from './config.js';
import { connectMongo, type Mongo } from './mongo.js';
import { createObjectStore, type ObjectStore } from './object-store.js';

interface Patience {
  /** how long an answer may take; without it, as long as the client of each server allows */
  answerTimeoutMs?: number;
}

/** The object store that the settings name. */
export function objectStoreOf(settings: Settings, { answerTimeoutMs }: Patience = {}): ObjectStore {
  return createObjectStore({
    endpoint: settings.S3_ENDPOINT,
    region: settings.S3_REGION,
    bucket: settings.S3_BUCKET,
    accessKeyId: settings.S3_ACCESS_KEY_ID,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
    ...(answerTimeoutMs === undefined ? {} : { idleTimeoutMs: answerTimeoutMs }),
  });
}

/** The database that the settings name, connected. */
export function mongoOf(settings: Settings, appName: string, patience: Patience = {}): Promise<Mongo> {
  return connectMongo({ uri: settings.MONGODB_URI, database: settings.MONGODB_DATABASE, appName, ...patience });
}
