import { projectPath } from '../platform/project.js';

/** Where the build puts the workflows' bundle and the release worker finds it. */
export const WORKFLOW_BUNDLE: string = projectPath('dist', 'workflow-bundle.js');
