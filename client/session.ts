import { Client, Connection } from '@temporalio/client';
import { SluiceError } from '../platform/errors.js';
import type { Settings } from '../platform/config.js';
import { callDeadlines } from './grpc.js';
import { temporalConnection, workflowPage } from '../platform/temporal.js';

/** A connection to the running system, and the addresses commands print. */
export interface Session {
  client: Client;
  settings: Settings;
  /** the Temporal UI's page of a workflow */
  uiUrl(workflowId: string, runId?: string): string;
  close(): Promise<void>;
}

/** @param env the environment over the running stack's, for Temporal's TLS and API key */
export async function openSession(settings: Settings, env: NodeJS.ProcessEnv = {}): Promise<Session> {
  let connection: Connection;
  try {
    connection = await Connection.connect({
      ...temporalConnection({ ...env, TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS }),
      connectTimeout: '5s',
      interceptors: callDeadlines(),
    });
  } catch (error) {
    throw new SluiceError(
      'Unreachable',
      `Temporal at ${settings.TEMPORAL_ADDRESS} does not answer within 5 s: is the stack up? Try \`sluice status\`, then \`sluice up\``,
      {},
      { cause: error },
    );
  }
  const namespace = settings.TEMPORAL_NAMESPACE;
  return {
    client: new Client({ connection, namespace }),
    settings,
    uiUrl: (workflowId, runId) => workflowPage(settings, workflowId, runId),
    close: () => connection.close(),
  };
}
