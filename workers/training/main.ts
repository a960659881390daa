import { trainerEnv } from '../../activities/trainer/child-env.js';
import { projectPath } from '../../platform/project.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { workerProcess } from '../worker-process.js';
import { TRAINING_PARTS, trainingActivities } from './activities.js';

// One training at a time: it takes every core it is given.
await workerProcess(process.env, {
  name: 'training-worker',
  taskQueue: QUEUES.training,
  maxConcurrentActivityTaskExecutions: 1,
  parts: TRAINING_PARTS,
  activities: (system) =>
    trainingActivities({ system, trainingDir: projectPath('training'), trainerEnv: trainerEnv(process.env) }),
});
