import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import type { SnapshotRef } from '../../domain/release/types.js';
import { projectPath } from '../../platform/project.js';
import { DATA_WORKER } from '../../stack/processes.js';
import { peakMemoryMb, secondsOfActivity } from '../data/worker.js';
import type { measuredSnapshot } from './workflow.js';

const QUEUE = 'bench-snapshot';
const MODEL = 'ulb_gbdt';

export interface SnapshotRun {
  /** of the whole activity: reading, checking, computing, writing, hashing, storing in S3 */
  seconds: number;
  peakMb: number;
  ref: SnapshotRef;
}

/** Runs snapshots as production does: the activity of a data worker, which is a process of its own. */
export interface SnapshotRunner {
  /**
   * One snapshot by a worker that has done nothing before, as a nightly one has.
   * @param script of the code's data worker, built
   * @param bucket of S3: each code has its own, or the second would find what the first has stored
   */
  run(script: string, bucket: string, database: string, asOf: string): Promise<SnapshotRun>;
  stop(): Promise<void>;
}

/** @param env of the stack */
export async function startRunner(env: Record<string, string>): Promise<SnapshotRunner> {
  const address = env['TEMPORAL_ADDRESS'] ?? '';
  const connection = await NativeConnection.connect({ address });
  const workflowsPath = projectPath('dist', 'bench', 'snapshot', 'workflow.js');
  const caller = await Worker.create({ connection, taskQueue: QUEUE, workflowsPath });
  const calling = caller.run();
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection });
  let serial = 0;
  return {
    async run(script, bucket, database, asOf) {
      const worker = execa(process.execPath, [...DATA_WORKER.nodeOptions, script], {
        env: {
          MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
          ...env,
          ...DATA_WORKER.env,
          MONGODB_DATABASE: database,
          S3_BUCKET: bucket,
          LOG_LEVEL: 'warn',
        },
        stdio: ['ignore', 'ignore', 'inherit'],
        reject: false,
      });
      try {
        const handle = await client.workflow.start<typeof measuredSnapshot>('measuredSnapshot', {
          taskQueue: QUEUE,
          workflowId: `bench/${database}/${serial++}`,
          args: [{ model: MODEL, asOf }],
        });
        const ref = await handle.result();
        const peakMb = await peakMemoryMb(worker.pid ?? 0);
        return { seconds: secondsOfActivity(await handle.fetchHistory()), peakMb, ref };
      } finally {
        worker.kill('SIGTERM');
        await worker;
      }
    },
    async stop() {
      caller.shutdown();
      await calling;
      await clientConnection.close();
      await connection.close();
    },
  };
}
