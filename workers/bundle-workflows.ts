import { mkdir, writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';
import { projectPath } from '../platform/project.js';
import { WORKFLOW_BUNDLE } from './workflow-bundle.js';

// Part of `npm run build`: a production worker loads this bundle and never compiles workflow code itself.
const { code } = await bundleWorkflowCode({ workflowsPath: projectPath('dist', 'workflows', 'index.js') });
await mkdir(projectPath('dist'), { recursive: true });
await writeFile(WORKFLOW_BUNDLE, code);
