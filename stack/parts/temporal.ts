import { Connection } from '@temporalio/client';
import { ATTRIBUTES_TO_REGISTER } from '../../platform/search-attributes.js';
import { accepts, portOf, type PartContext, type ServerPart } from './part.js';

const NAMESPACE = 'default';
const RETENTION_SECONDS = 90 * 24 * 3600;
/**
 * How often Temporal's history service may read its queues of tasks. Its default of 20 a second for a shard, of which this server has one, is a wait
 * of some 45 ms before every activity and every workflow task.
 */
const QUEUES_READ_A_SECOND = [
  'history.transferProcessorMaxPollRPS',
  'history.timerProcessorMaxPollRPS',
  'history.visibilityProcessorMaxPollRPS',
];
const READS_A_SECOND = 2_000;

/**
 * Temporal's development server on SQLite, with its UI. WAL and NORMAL make it about four times as fast as the default pragmas
 * and lost nothing when it was killed under load (see docs/stack.md).
 */
export function temporalPart(context: PartContext): ServerPart {
  const port = portOf(context, 'temporal');
  const uiPort = portOf(context, 'temporal-ui');
  const address = `127.0.0.1:${port}`;
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  return {
    provides: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: NAMESPACE, TEMPORAL_UI_URL: uiUrl },
    spec: (binary) => ({
      name: 'temporal',
      command: binary,
      args: [
        'server',
        'start-dev',
        '--ip',
        '127.0.0.1',
        '--port',
        String(port),
        '--ui-port',
        String(uiPort),
        '--db-filename',
        context.paths.temporalDb,
        '--sqlite-pragma',
        'journal_mode=WAL',
        '--sqlite-pragma',
        'synchronous=NORMAL',
        '--log-level',
        'warn',
        ...QUEUES_READ_A_SECOND.flatMap((name) => ['--dynamic-config-value', `${name}=${READS_A_SECOND}`]),
        ...ATTRIBUTES_TO_REGISTER.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type}`]),
      ],
      env: context.base,
      cwd: context.paths.root,
      logFile: `${context.paths.logs}/temporal.log`,
      address,
      isReady: async () =>
        (await accepts('127.0.0.1', port)) && (await accepts('127.0.0.1', uiPort)) && (await namespaceIsReady(address)),
      readyTimeoutMs: 60_000,
      stopGraceMs: 10_000,
    }),
  };
}

/** Whether the namespace answers; keeps closed workflows for 90 days, where the server's own default would be one day. */
async function namespaceIsReady(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
    if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) < RETENTION_SECONDS) {
      await connection.workflowService.updateNamespace({
        namespace: NAMESPACE,
        config: { workflowExecutionRetentionTtl: { seconds: RETENTION_SECONDS as never } },
      });
    }
    return true;
  } finally {
    await connection.close();
  }
}
