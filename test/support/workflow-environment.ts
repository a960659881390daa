import type { Client } from '@temporalio/client';
import { readFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { projectPath } from '../../platform/project.js';
import { QUEUES, replicaQueue } from '../../workflows/common/queues.js';
import { createWaitActivities } from '../../activities/runs/wait.js';
import { isBuiltSince } from './build.js';
import type { FakeSystem } from './fake-system.js';
import { connectTemporal } from './temporal.js';

const BUNDLE = 'dist/workflow-bundle.js';

/** The workflows as they stand in the sources: what `npm run build` bundled, or compiled here where a source has changed since. */
export async function bundleWorkflows(): Promise<WorkflowBundle> {
  if (await isBuiltSince(BUNDLE, 'workflows', 'domain', 'schemas', 'package-lock.json'))
    return { code: await readFile(projectPath(BUNDLE), 'utf8') };
  return bundleWorkflowCode({
    workflowsPath: projectPath('workflows', 'index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

/**
 * How long a test waits for what runs after the run that it started. Temporal may give a task to a worker in the moment in which that is closed;
 * it comes back after the task's own time limit, 20 s for a notification.
 */
export const OUTLASTS_A_LOST_TASK_MS = 45_000;

export interface WorkflowEnvironment {
  client: Client;
  close(): Promise<void>;
}

/** Workers of every queue over one fake system, on the shared Temporal. @param env as `useServers(['temporal'])` gave it */
export async function startWorkers(
  env: Readonly<Record<string, string>>,
  workflowBundle: WorkflowBundle,
  fake: FakeSystem,
): Promise<WorkflowEnvironment> {
  const temporal = await connectTemporal(env);
  const { client } = temporal;
  const activities = { ...fake.activities, ...createWaitActivities({ client }) };
  const workers = await Promise.all([
    temporal.createWorker({ taskQueue: QUEUES.release, workflowBundle, activities }),
    temporal.createWorker({ taskQueue: QUEUES.data, activities }),
    temporal.createWorker({ taskQueue: QUEUES.training, activities }),
    temporal.createWorker({ taskQueue: replicaQueue('r1'), activities: { ...fake.replica } }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    client,
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await temporal.close();
    },
  };
}
