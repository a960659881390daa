import { MongoClient, MongoError, type ClientSession, type Db, type MongoClientOptions } from 'mongodb';
import { isNetworkError, saysDiskIsFull, SluiceError } from './errors.js';

export interface Mongo {
  client: MongoClient;
  db: Db;
  /** host and port without credentials, for messages */
  address: string;
  close(): Promise<void>;
}

const SERVER_SELECTION_TIMEOUT_MS = 5_000;

/**
 * A connected MongoDB client, or a failure that names the address and what to do.
 * @param options.retry whether the driver retries a call by itself: not in activities, where Temporal owns the retries
 * @throws SluiceError Unreachable
 */
export async function connectMongo(options: {
  uri: string;
  database: string;
  appName?: string;
  retry?: boolean;
  serverSelectionTimeoutMs?: number;
  /** how long an answer may take once a server is connected; without it, for ever: a frozen server then holds its caller */
  answerTimeoutMs?: number;
}): Promise<Mongo> {
  const address = mongoAddress(options.uri);
  const selectionMs = options.serverSelectionTimeoutMs ?? SERVER_SELECTION_TIMEOUT_MS;
  const settings: MongoClientOptions = {
    appName: options.appName ?? 'sluice',
    serverSelectionTimeoutMS: selectionMs,
    // A frozen server accepts connections and answers none: the driver's own half minute would come on top of what the message says.
    connectTimeoutMS: selectionMs,
    ...(options.answerTimeoutMs === undefined ? {} : { socketTimeoutMS: options.answerTimeoutMs }),
    ...(options.retry === true ? {} : { retryReads: false, retryWrites: false }),
  };
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(options.uri, settings);
    await client.connect();
    const db = client.db(options.database);
    await db.command({ ping: 1 });
    return { client, db, address, close: () => client?.close() ?? Promise.resolve() };
  } catch (error) {
    await client?.close().catch(() => undefined);
    throw mongoFailure(error, address);
  }
}

/** Host and port of a connection string, without credentials. */
export function mongoAddress(uri: string): string {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^/?]*@)?([^/?]+)/.exec(uri)?.[1];
  return hosts ?? '(MONGODB_URI is not a mongodb:// address)';
}

/** Host and port that a connection speaks to, for messages and lineage. */
export function addressOf(db: Db): string {
  return db.client.options.hosts.map(String).join(',');
}

/** how often a transaction may meet a rival's */
const MAX_CONFLICTS = 10;

/**
 * Runs work in one transaction of the database: all of it or nothing. Repeated when a rival's transaction was in the way; not when the
 * database is away, which the caller should hear of at once (the driver's own helper would try for two minutes).
 * @param work uses the session in every call, and does nothing that may not happen twice
 */
export async function inTransaction<T>(db: Db, work: (session: ClientSession) => Promise<T>): Promise<T> {
  const session = db.client.startSession();
  try {
    for (let conflicts = 0; ; conflicts += 1) {
      session.startTransaction();
      try {
        const result = await work(session);
        await session.commitTransaction();
        return result;
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
        const conflict = error instanceof MongoError && error.hasErrorLabel('TransientTransactionError');
        if (!conflict || isNetworkError(error) || conflicts === MAX_CONFLICTS) throw error;
      }
    }
  } finally {
    await session.endSession();
  }
}

/** An error of MongoDB's as ours, with the address that was tried; any other error as it is. */
export function explainMongo(error: unknown, address: string): unknown {
  return error instanceof MongoError ? mongoFailure(error, address) : error;
}

const DUPLICATE_KEY = 11000;

/** Whether MongoDB refused a write, or one of many, because its key is taken. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === DUPLICATE_KEY;
}

/** codes with which mongod says that its disk is full */
const OUT_OF_DISK_SPACE = 14031;
/** what the driver calls a server that it cannot speak to */
const AWAY = new Set([
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
  'MongoPoolClearedError',
  'PoolClearedOnNetworkError',
]);
const BAD_CREDENTIALS = new Set([13, 18]);

interface MongoishError {
  code?: number | string;
  message?: string;
  name?: string;
  errorLabels?: unknown;
}

/**
 * What MongoDB answered as a failure with our types; what is not MongoDB's passes through.
 * @param address as `Mongo.address`
 */
export function mongoFailure(error: unknown, address: string): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  const { code, message = '', name = '' } = error as MongoishError;
  if (code === OUT_OF_DISK_SPACE || saysDiskIsFull(message)) {
    return new SluiceError(
      'DiskFull',
      `MongoDB at ${address} has no disk space left. Free some, then run this again: what was written stays and is not written twice.`,
    );
  }
  const retryable = error instanceof MongoError && error.hasErrorLabel('RetryableWriteError');
  if (isNetworkError(error) || retryable || AWAY.has(name)) {
    return new SluiceError(
      'Unreachable',
      `MongoDB at ${address} cannot be reached: ${message}. Check that it runs and that MONGODB_URI is right; \`sluice status\` shows what is up.`,
    );
  }
  if (typeof code === 'number' && BAD_CREDENTIALS.has(code))
    return new SluiceError('Rejected', `MongoDB at ${address} refused the credentials in MONGODB_URI: ${message}`);
  if (name === 'MongoParseError' || name === 'MongoInvalidArgumentError' || name === 'MongoAPIError')
    return new SluiceError('InvalidInput', `MONGODB_URI cannot be used: ${message}`);
  return error;
}
