/** Every workflow the release worker runs; the prebuilt bundle starts here. */
export { applySchedules } from './applySchedules/workflow.js';
export { deleteTransactions } from './deleteTransactions/workflow.js';
export { importLabels } from './importLabels/workflow.js';
export { launchScheduled } from './launchScheduled/workflow.js';
export { monitorDrift } from './monitorDrift/workflow.js';
export { nightlyRefresh } from './nightlyRefresh/workflow.js';
export { pinBundle } from './pinBundle/workflow.js';
export { pruneArtifacts } from './pruneArtifacts/workflow.js';
export { publishExpertFile } from './publishExpertFile/workflow.js';
export { recalibrateThresholds } from './recalibrateThresholds/workflow.js';
export { refreshCategoryStats } from './refreshCategoryStats/workflow.js';
export { refreshFxRates } from './refreshFxRates/workflow.js';
export { refreshMerchantFrequency } from './refreshMerchantFrequency/workflow.js';
export { refreshSynonyms } from './refreshSynonyms/workflow.js';
export { releaseModel } from './releaseModel/workflow.js';
export { rollbackRelease } from './rollbackRelease/workflow.js';
export { rolloutBundle } from './rolloutBundle/workflow.js';
export { settleModel } from './settleModel/workflow.js';
export { sendNotification } from './sendNotification/workflow.js';
// `testAlerts` is its name in histories and clients from before it was renamed.
export { testNotification, testNotification as testAlerts } from './testNotification/workflow.js';
