import { trainerEnv } from '../../activities/trainer/child-env.js';
import { projectPath } from '../../platform/project.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { workerProcess } from '../worker-process.js';
import { DATA_PARTS, dataActivities } from './activities.js';

// Bulk I/O: snapshots out of Mongo, bundles into S3. Rows stream through; none of it holds a data set in memory.
await workerProcess(process.env, {
  name: 'data-worker',
  taskQueue: QUEUES.data,
  maxConcurrentActivityTaskExecutions: 4,
  parts: DATA_PARTS,
  activities: (system) =>
    dataActivities({ system, trainingDir: projectPath('training'), trainerEnv: trainerEnv(process.env) }),
});
