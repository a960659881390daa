import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';

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
