import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { projectPath } from '../../platform/project.js';
import { QUEUES, replicaQueue } from '../../workflows/common/queues.js';
import { createWaitActivities } from '../../activities/runs/wait.js';
import type { FakeSystem } from './fake-system.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** The workflows as they stand in the sources, compiled once a test file. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: projectPath('workflows', 'index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

export interface WorkflowEnvironment {
  client: Client;
  close(): Promise<void>;
}

/** Workers of every queue over one fake system, on a real Temporal server. */
export async function startWorkers(
  address: string,
  workflowBundle: WorkflowBundle,
  fake: FakeSystem,
): Promise<WorkflowEnvironment> {
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection });
  const activities = { ...fake.activities, ...createWaitActivities({ client }) };
  const workers = await Promise.all([
    Worker.create({ connection, taskQueue: QUEUES.release, workflowBundle, activities }),
    Worker.create({ connection, taskQueue: QUEUES.data, activities }),
    Worker.create({ connection, taskQueue: QUEUES.training, activities }),
    Worker.create({ connection, taskQueue: replicaQueue('r1'), activities: { ...fake.replica } }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    client,
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
      await clientConnection.close();
    },
  };
}
