import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Activities } from './activities.js';

/** Temporal refuses a longer summary (400 bytes, with its quotes). */
const SUMMARY_BYTES = 390;

/** One line for Temporal's timeline, cut to what Temporal takes. */
export function summaryOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  // Quotes and backslashes are two bytes each in the JSON that Temporal counts.
  const size = (part: string): number => utf8ToBytes(JSON.stringify(part)).length;
  if (size(line) <= SUMMARY_BYTES) return line;
  const characters = [...line];
  while (size(`${characters.join('')}…`) > SUMMARY_BYTES) characters.length = Math.floor(characters.length * 0.9);
  return `${characters.join('')}…`;
}

type Summaries = { readonly [Name in keyof Activities]: (input: Parameters<Activities[Name]>[0]) => string };

/** What each activity does, so that the timeline of a run reads as its runbook. A new activity does not compile without its line. */
export const SUMMARIES: Summaries = {
  // a release
  loadModelSpec: ({ model }) => `Read the spec of ${model}`,
  snapshot: ({ asOf }) => `Snapshot of the labelled transactions as of ${asOf}`,
  validateData: ({ snapshot }) => `Check the data of snapshot ${snapshot.dataSnapshotId}`,
  train: ({ snapshot, overrides }) =>
    `Train on ${snapshot.rows} rows${overrides?.seed === undefined ? '' : `, seed ${overrides.seed}`}`,
  evaluate: ({ champion }) =>
    champion === null ? 'Evaluate on the held-out rows' : `Evaluate against the champion ${champion.version}`,
  championFeatures: ({ bundle }) => `Features of the held-out rows with the lookups of ${bundle.version}`,
  register: ({ runId }) => `Register the model of MLflow run ${runId}`,
  registryState: () => 'Read champion and challenger from the registry',
  provenance: ({ modelVersion, champion }) =>
    champion === null
      ? `What is version ${modelVersion} made of?`
      : `Compare what version ${modelVersion} and ${champion} are made of`,
  setStage: ({ modelVersion, stage }) => `Version ${modelVersion} to ${stage}`,
  setAlias: ({ alias, modelVersion }) =>
    modelVersion === null ? `Take the alias ${alias} away` : `Alias ${alias} to version ${modelVersion}`,
  tagModelVersion: ({ modelVersion, tags }) => `Tag version ${modelVersion}: ${Object.keys(tags).join(', ')}`,
  composeBundle: ({ modelVersion, base }) =>
    `Compose the bundle of version ${modelVersion}${base === null ? '' : ` on ${base.version}`}`,
  writeReport: ({ status }) => `Write the release report: ${status}`,
  // a rollout
  readPointer: ({ environment }) => `Read what is live in ${environment}`,
  verifyBundle: ({ version }) => `Verify the bundle ${version}`,
  swapPointer: ({ bundle, expectedGeneration }) =>
    `Point at ${bundle.version}, generation ${expectedGeneration + 1}, where ${expectedGeneration} is live`,
  liveReplicas: ({ environment }) => `Which replicas are alive in ${environment}?`,
  reload: ({ version, generation }) => `Reload ${version}, generation ${generation}`,
  smoke: ({ replica, bundle }) => `Smoke of ${bundle.version} on ${replica.replicaId}`,
  lookAtLive: ({ environment }) => `Is what is live in ${environment} so in the registry too?`,
  recordVerdict: ({ version, verdict }) => `Record ${version} as ${verdict}`,
  // an operator's request or decision
  principalNames: () => 'Who may decide at all?',
  authorizeDecision: ({ decision }) => `May ${decision.actor} decide?`,
  authorizeRequest: ({ caller, request }) => `May ${caller.actor} ask for ${request}?`,
  authorizeOperation: ({ actor, operation }) => `May ${actor} ${operation}?`,
  lastGoodBundle: ({ environment }) => `Find the last good bundle of ${environment}`,
  findBundle: ({ version }) => `Find the bundle ${version}`,
  publishExpertFile: ({ lookup }) => `Publish the experts' file of ${lookup}`,
  recordLabels: ({ labels }) => `Record ${labels.length} labels`,
  requireBundle: ({ version }) => `Is there a bundle ${version}?`,
  requirePin: ({ version }) => `Is ${version} pinned?`,
  putPin: ({ version }) => `Pin ${version}`,
  deletePin: ({ version }) => `Unpin ${version}`,
  requireTransactions: ({ ids }) => `Are these ${ids.length} transactions there?`,
  deleteTransactions: ({ ids }) => `Delete ${ids.length} transactions`,
  planSchedules: () => 'Compare the schedules with the registry',
  applySchedules: () => 'Make the schedules agree with the registry',
  pruneArtifacts: () => 'Delete what nothing names any more',
  // a refresh, thresholds, drift
  refreshMerchantFrequency: ({ asOf }) => `Count merchants as of ${asOf}`,
  refreshCategoryStats: ({ asOf }) => `Amounts by category as of ${asOf}`,
  refreshFxRates: ({ asOf }) => `Fetch exchange rates as of ${asOf}`,
  refreshSynonyms: ({ asOf }) => `Read the synonyms as of ${asOf}`,
  recomposeBundle: ({ base, replacements }) =>
    `Replace ${replacements.map(({ file }) => file).join(', ')} in ${base.version}`,
  proposeThresholds: ({ asOf }) => `Propose thresholds from the feedback known by ${asOf}`,
  reviseThresholds: () => "Figures of the approver's thresholds",
  thresholdsOfBundle: ({ bundle }) => `Read the thresholds of ${bundle.version}`,
  compareWindow: ({ asOf }) => `Compare what was scored with the training data, as of ${asOf}`,
  snapshotWindow: ({ asOf }) => `Keep the profile of what was scored, as of ${asOf}`,
  logDriftReport: ({ key }) => `Report on ${key} to MLflow`,
  claimRetraining: ({ releaseId }) => `Claim the retraining ${releaseId}`,
  recordRetraining: ({ releaseId }) => `Record that ${releaseId} was started`,
  // waiting and telling
  waitForWorkflow: ({ workflowId }) => `Wait for ${workflowId} to end`,
  awaitRun: ({ workflowId }) => `Wait for ${workflowId} to end or to ask a person`,
  scheduleLosses: () => 'Look for runs that schedules have missed',
  notify: ({ title }) => `Notify: ${title}`,
  deliverNotification: ({ title }) => `Notify: ${title}`,
  testChannels: () => 'A test notification through every channel',
};
