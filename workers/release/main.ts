import { existsSync } from 'node:fs';
import { SluiceError } from '../../platform/errors.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { WORKFLOW_BUNDLE } from '../workflow-bundle.js';
import { workerProcess } from '../worker-process.js';
import { RELEASE_PARTS, releaseActivities } from './activities.js';

if (!existsSync(WORKFLOW_BUNDLE))
  throw new SluiceError('NotFound', `${WORKFLOW_BUNDLE} is missing: run \`npm run build\``);

// The only process that runs workflows, and beside them the light calls.
await workerProcess(process.env, {
  name: 'release-worker',
  taskQueue: QUEUES.release,
  workflowBundle: { codePath: WORKFLOW_BUNDLE },
  parts: RELEASE_PARTS,
  activities: releaseActivities,
});
