import type { Client } from '@temporalio/client';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Signer, TrustedKeys } from '../domain/dsse/dsse.js';
import type { Settings } from './config.js';
import type { MlflowTracking } from './mlflow-tracking.js';
import type { MlflowClient } from './mlflow.js';
import type { Models } from './models.js';
import type { ObjectStore } from './object-store.js';

/** What a process can open. The names are those under which activities and stores take them. */
export interface SystemParts {
  db: Db;
  store: ObjectStore;
  /** MLflow's registry and the artifacts of its runs */
  mlflow: MlflowClient;
  /** MLflow's experiments, for a process that logs runs of its own */
  tracking: MlflowTracking;
  /** Temporal's client: starts, asks and waits for workflows */
  temporal: Client;
  signer: Signer;
  trustedKeys: TrustedKeys;
  /** one caching reader of `models/` for the whole process */
  models: Models;
}

export type SystemPart = keyof SystemParts;

export type System<P extends SystemPart = SystemPart> = Pick<SystemParts, P> & {
  settings: Settings;
  log: Logger;
  /** An error of a server that is open here, as a failure that names the server's address; any other error as it is. */
  explain(error: unknown): unknown;
  /** Closes in the reverse order; what cannot be closed is logged and keeps nothing else open. */
  close(): Promise<void>;
};

export interface SystemOptions<P extends SystemPart> {
  settings: Settings;
  /** the process, as MongoDB lists it */
  name: string;
  log: Logger;
  /** address, TLS and API key: `temporalConnection(env)` */
  connectTo: NativeConnectionOptions;
  modelsDir: string;
  /** opened in this order */
  parts: readonly P[];
}

interface Opened<T> {
  value: T;
  close?: () => Promise<void> | void;
  explain?: (error: unknown) => unknown;
}

export type Openers = {
  [P in SystemPart]: (options: Omit<SystemOptions<P>, 'parts'>) => Promise<Opened<SystemParts[P]>>;
};

// A process loads the modules of what it opens and no others: a MongoDB driver alone is 20 MB.
const OPEN: Openers = {
  async db({ settings, name }) {
    const [{ mongoOf }, { explainMongo }] = await Promise.all([import('./connect.js'), import('./mongo.js')]);
    const { db, address, close } = await mongoOf(settings, name);
    return { value: db, close, explain: (error) => explainMongo(error, address) };
  },
  async store({ settings }) {
    const { objectStoreOf } = await import('./connect.js');
    const store = objectStoreOf(settings);
    return { value: store, close: () => store.close() };
  },
  async mlflow({ settings }) {
    const { createMlflowClient } = await import('./mlflow.js');
    return { value: createMlflowClient(settings.MLFLOW_TRACKING_URI) };
  },
  async tracking({ settings }) {
    const { createMlflowTracking } = await import('./mlflow-tracking.js');
    return { value: createMlflowTracking(settings.MLFLOW_TRACKING_URI) };
  },
  async temporal({ settings, connectTo }) {
    const { Client, Connection } = await import('@temporalio/client');
    const connection = await Connection.connect(connectTo);
    const client = new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
    return { value: client, close: () => connection.close() };
  },
  async signer({ settings }) {
    const { loadSigner } = await import('./keys.js');
    return { value: await loadSigner(settings.SLUICE_SIGNING_KEY_FILE) };
  },
  async trustedKeys({ settings }) {
    const { loadTrustedKeys } = await import('./keys.js');
    return { value: await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE) };
  },
  async models({ modelsDir }) {
    const { modelReader } = await import('./models.js');
    return { value: modelReader(modelsDir) };
  },
};

/**
 * Opens what a process uses, and nothing else. When one part cannot be opened, those before it are closed again.
 * @param openers tests only: how each part is opened
 * @throws SluiceError of the part that could not be opened
 */
export async function openSystem<P extends SystemPart>(
  options: SystemOptions<P>,
  openers: Openers = OPEN,
): Promise<System<P>> {
  const { settings, log, parts, ...rest } = options;
  const opened: (Opened<unknown> & { part: SystemPart })[] = [];
  const close = async (): Promise<void> => {
    for (const { part, close: closePart } of opened.splice(0).reverse()) {
      try {
        await closePart?.();
      } catch (error) {
        log.warn({ err: error, part }, 'could not be closed');
      }
    }
  };
  const values: Partial<Record<SystemPart, unknown>> = {};
  try {
    for (const part of parts) {
      const one = await openers[part]({ settings, log, ...rest });
      opened.push({ ...one, part });
      values[part] = one.value;
    }
  } catch (error) {
    await close();
    throw error;
  }
  const explain = (error: unknown): unknown =>
    opened.reduce<unknown>((explained, { explain: explainOwn }) => explainOwn?.(explained) ?? explained, error);
  return { ...(values as Pick<SystemParts, P>), settings, log, explain, close };
}
