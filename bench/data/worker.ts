import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import type proto from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import type { RefreshInput } from '../../activities/refresh/contract.js';
import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import { projectPath } from '../../platform/project.js';
import { DATA_WORKER } from '../../stack/processes.js';
import type { MeasuredJob, measuredRefresh } from './workflow.js';

const QUEUE = 'bench';

/** Runs the jobs as production does: an activity of a data worker, which is a process of its own. */
export interface JobRunner {
  /** @returns seconds of the whole job, and of them those of reading and computing, from the worker's own log */
  run(
    job: MeasuredJob,
    input: RefreshInput,
  ): Promise<{ seconds: number; computing: number; artifacts: RefreshedArtifact[] }>;
  /** the most memory that the worker's process has taken so far, in MB (10^6) */
  peakMemoryMb(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a data worker on a database, and what calls it.
 * @param env of the stack
 */
export async function startJobs(env: Record<string, string>, database: string): Promise<JobRunner> {
  // As the stack starts it; MLflow is no part of these jobs, and nothing asks for it.
  const worker = execa(
    process.execPath,
    [...DATA_WORKER.nodeOptions, projectPath('dist', 'workers', 'data', 'main.js')],
    {
      env: {
        MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
        ...env,
        ...DATA_WORKER.env,
        MONGODB_DATABASE: database,
        LOG_LEVEL: 'info',
      },
      stderr: 'inherit',
      buffer: false,
      reject: false,
    },
  );
  const computedMs = new Map<string, number>();
  const lines = createInterface(worker.stdout);
  lines.on('line', (line) => {
    const record = JSON.parse(line) as { msg?: string; key: string; computedMs: number };
    if (record.msg === 'refreshed') computedMs.set(record.key, record.computedMs);
  });
  const address = env['TEMPORAL_ADDRESS'] ?? '';
  const connection = await NativeConnection.connect({ address });
  const caller = await Worker.create({
    connection,
    taskQueue: QUEUE,
    workflowsPath: projectPath('dist', 'bench', 'data', 'workflow.js'),
  });
  const calling = caller.run();
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection });
  return {
    async run(job, input) {
      const handle = await client.workflow.start<typeof measuredRefresh>('measuredRefresh', {
        taskQueue: QUEUE,
        workflowId: `bench/${database}/${job}/${input.key}`,
        args: [job, input],
      });
      const artifacts = await handle.result();
      while (!computedMs.has(input.key)) await once(lines, 'line');
      const computing = (computedMs.get(input.key) ?? NaN) / 1000;
      return { seconds: secondsOfActivity(await handle.fetchHistory()), computing, artifacts };
    },
    peakMemoryMb: () => peakMemoryMb(worker.pid ?? 0),
    async stop() {
      worker.kill('SIGTERM');
      await worker;
      caller.shutdown();
      await calling;
      await clientConnection.close();
      await connection.close();
    },
  };
}

/** From the worker's taking it to its answer, as Temporal saw it: dispatch and Python's start are in nobody's time. */
export function secondsOfActivity({ events }: proto.temporal.api.history.v1.IHistory): number {
  const at = (type: 'activityTaskStartedEventAttributes' | 'activityTaskCompletedEventAttributes'): number => {
    const time = events?.find((event) => event[type])?.eventTime;
    if (!time) throw new Error(`the run has no ${type}`);
    return Number(time.seconds) + Number(time.nanos) / 1e9;
  };
  return at('activityTaskCompletedEventAttributes') - at('activityTaskStartedEventAttributes');
}

/** Temporal's runtime is one per process; its own messages are of no interest here. */
export function quietRuntime(): void {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}

export async function peakMemoryMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status says nothing of VmHWM: the worker has ended`);
  return (Number(kib) * 1024) / 1e6;
}
