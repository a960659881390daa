import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { readFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Part } from '../../stack/index.js';
import { projectPath } from '../../platform/project.js';
import { QUEUES, replicaQueue } from '../../workflows/common/queues.js';
import { createWaitActivities } from '../../activities/runs/wait.js';
import { isBuiltSince } from './build.js';
import type { FakeSystem } from './fake-system.js';
import { useServers } from './shared-servers.js';
import { connectTemporal, runWorkers, type RunningWorkers, type TestTemporal } from './temporal.js';

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

/** The workflows of one test file, on a Temporal namespace of its own. */
export interface Workflows {
  /** as `useServers` gave it */
  readonly env: Readonly<Record<string, string>>;
  /** Workers of their activities, of every queue, over one fake system. A test closes them before the next one starts its own. */
  workOn(fake: FakeSystem): Promise<WorkflowEnvironment>;
}

export interface WorkflowEnvironment {
  client: Client;
  close(): Promise<void>;
}

/**
 * One worker of workflows for a whole test file: it takes half a second of a core to start, those of the activities nothing.
 * Called at the file's top: it starts before the file's first test and ends after its last; between two tests, what still runs is terminated.
 * @param parts the servers that the file needs, Temporal among them
 */
export function useWorkflows(parts: readonly Part[] = ['temporal']): Workflows {
  let env: Readonly<Record<string, string>> = {};
  let temporal: TestTemporal;
  let workflowWorker: RunningWorkers;
  beforeAll(async () => {
    const [servers, workflowBundle] = await Promise.all([useServers(parts), bundleWorkflows()]);
    ({ env } = servers);
    temporal = await connectTemporal(env);
    workflowWorker = runWorkers([await temporal.createWorker({ taskQueue: QUEUES.release, workflowBundle })]);
  });
  afterAll(async () => {
    await workflowWorker?.close();
    await temporal?.close();
  });
  // What a test leaves behind must not reach the next one's fake system. Its own hook has closed the activities' workers by now.
  afterEach(() => terminateAll(temporal.client));
  return {
    get env() {
      return env;
    },
    workOn: async (fake) => {
      const { client } = temporal;
      const activities = { ...fake.activities, ...createWaitActivities({ client }) };
      return { client, ...(await startActivityWorkers(temporal, activities, { ...fake.replica })) };
    },
  };
}

/** Workers of activities on every queue that has some, and of a replica's. */
export async function startActivityWorkers(
  { createWorker }: TestTemporal,
  activities: object,
  replica: object,
): Promise<RunningWorkers> {
  const queues = [QUEUES.release, QUEUES.data, QUEUES.training];
  return runWorkers(
    await Promise.all([
      ...queues.map((taskQueue) => createWorker({ taskQueue, activities })),
      createWorker({ taskQueue: replicaQueue('r1'), activities: replica }),
    ]),
  );
}

async function terminateAll({ workflow }: Client): Promise<void> {
  for await (const { workflowId } of workflow.list({ query: `ExecutionStatus = 'Running'` }))
    await workflow
      .getHandle(workflowId)
      .terminate()
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
}
