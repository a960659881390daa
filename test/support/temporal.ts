import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';

// Workers say what they do in the process's one log: only errors are worth reading in a test's output.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** The shared Temporal, in the namespace of one test file. */
export interface TestTemporal {
  client: Client;
  /** A worker in the namespace. */
  createWorker(options: Omit<WorkerOptions, 'connection' | 'namespace'>): Promise<Worker>;
  close(): Promise<void>;
}

/** @param env as `useServers(['temporal'])` gave it */
export async function connectTemporal(env: Readonly<Record<string, string>>): Promise<TestTemporal> {
  const address = env['TEMPORAL_ADDRESS'] as string;
  const namespace = env['TEMPORAL_NAMESPACE'] as string;
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  return {
    client: new Client({ connection, namespace }),
    createWorker: (options) => Worker.create({ ...options, connection: native, namespace }),
    close: async () => {
      await Promise.all([connection.close(), native.close()]);
    },
  };
}

export interface RunningWorkers {
  close(): Promise<void>;
}

/** Runs workers until `close`, which resolves when the last of them has ended. */
export function runWorkers(workers: readonly Worker[]): RunningWorkers {
  const ended = Promise.all(workers.map((worker) => worker.run()));
  return {
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await ended;
    },
  };
}
