import type { Mongo } from '../platform/mongo.js';
import type { ObjectStore } from '../platform/object-store.js';
import type { Cli } from './cli.js';

/** MongoDB for as long as a command needs it. */
export function withMongo(cli: Cli, work: (mongo: Mongo) => Promise<number>): Promise<void> {
  return cli.withSettings(async (settings) => {
    const { mongoOf } = await import('../platform/connect.js');
    const mongo = await mongoOf(settings, 'client');
    try {
      return await work(mongo);
    } finally {
      await mongo.close();
    }
  });
}

/** MongoDB and the object store for as long as a command needs them. */
export function withStores(cli: Cli, work: (mongo: Mongo, store: ObjectStore) => Promise<number>): Promise<void> {
  return cli.withSettings(async (settings) => {
    const { mongoOf, objectStoreOf } = await import('../platform/connect.js');
    const mongo = await mongoOf(settings, 'client');
    const store = objectStoreOf(settings);
    try {
      return await work(mongo, store);
    } finally {
      store.close();
      await mongo.close();
    }
  });
}
