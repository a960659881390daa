import type { Settings } from '../platform/config.js';
import type { Mongo } from '../platform/mongo.js';
import type { ObjectStore } from '../platform/object-store.js';
import type { Cli } from './cli.js';
import { EXIT } from './exit-codes.js';

/** Somebody waits: a server that says nothing for so long counts as gone. */
const PATIENCE = { answerTimeoutMs: 15_000 };

/** An import may have to wait for an index over all that is there. */
const IMPORT_PATIENCE = { answerTimeoutMs: 120_000 };

async function openMongo(settings: Settings, patience = PATIENCE): Promise<Mongo> {
  const { mongoOf } = await import('../platform/connect.js');
  return mongoOf(settings, 'client', patience);
}

/** Opens MongoDB for an import; whoever asks closes it. */
export function openMongoForImport(settings: Settings): Promise<Mongo> {
  return openMongo(settings, IMPORT_PATIENCE);
}

/** MongoDB for as long as the work needs it. */
export async function usingMongo<T>(settings: Settings, work: (mongo: Mongo) => Promise<T>): Promise<T> {
  const mongo = await openMongo(settings);
  try {
    return await work(mongo);
  } finally {
    await mongo.close();
  }
}

/** The object store for as long as the work needs it. */
export async function usingStore<T>(settings: Settings, work: (store: ObjectStore) => Promise<T>): Promise<T> {
  const { objectStoreOf } = await import('../platform/connect.js');
  const store = objectStoreOf(settings, PATIENCE);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** A command that reads MongoDB; its number is the exit code. It changes nothing, so Ctrl-C ends it at once, whatever MongoDB does. */
export function withMongo(cli: Cli, work: (mongo: Mongo) => Promise<number>): Promise<void> {
  cli.onInterrupt(() => process.exit(EXIT.interrupted));
  return cli.withSettings((settings) => usingMongo(settings, work));
}

/** A command that reads MongoDB and the object store, as `withMongo`. */
export function withStores(cli: Cli, work: (mongo: Mongo, store: ObjectStore) => Promise<number>): Promise<void> {
  cli.onInterrupt(() => process.exit(EXIT.interrupted));
  return cli.withSettings((settings) =>
    usingMongo(settings, (mongo) => usingStore(settings, (store) => work(mongo, store))),
  );
}
