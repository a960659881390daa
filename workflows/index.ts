/** Every workflow the release worker runs; the prebuilt bundle starts here. */
export { releaseModel } from './releaseModel/workflow.js';
export { rollbackRelease } from './rollbackRelease/workflow.js';
export { rolloutBundle } from './rolloutBundle/workflow.js';
