import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import type { Settings } from './config.js';
import { withoutCredentials } from './credentials.js';

/**
 * How to reach Temporal: address, TLS and API key from the same TEMPORAL_* variables that every Temporal client reads. Its configuration
 * file is left alone: a profile made for another server would otherwise apply to the stack's own.
 */
export function temporalConnection(env: NodeJS.ProcessEnv): ClientConnectConfig['connectionOptions'] {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return loadClientConnectConfig({ overrideEnvVars, disableFile: true }).connectionOptions;
}

/** The page of a workflow, or of one of its runs, in the Temporal UI. */
export function workflowPage(
  settings: Pick<Settings, 'TEMPORAL_ADDRESS' | 'TEMPORAL_NAMESPACE' | 'TEMPORAL_UI_URL'>,
  workflowId: string,
  runId?: string,
): string {
  const base = settings.TEMPORAL_UI_URL === '' ? `http://${settings.TEMPORAL_ADDRESS}` : settings.TEMPORAL_UI_URL;
  const run = runId === undefined ? '' : `/${runId}/history`;
  return `${withoutCredentials(base)}/namespaces/${settings.TEMPORAL_NAMESPACE}/workflows/${encodeURIComponent(workflowId)}${run}`;
}
