import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../domain/runs/search-attributes.js';
import { SluiceError } from '../../platform/errors.js';
import { accepts, portOf, type PartContext, type ServerPart } from './part.js';

const { INDEXED_VALUE_TYPE_KEYWORD, INDEXED_VALUE_TYPE_KEYWORD_LIST } = proto.temporal.api.enums.v1.IndexedValueType;
/** How the command line and the server's API call a type. */
const TYPES = {
  KEYWORD: { name: 'Keyword', value: INDEXED_VALUE_TYPE_KEYWORD },
  KEYWORD_LIST: { name: 'KeywordList', value: INDEXED_VALUE_TYPE_KEYWORD_LIST },
} as const;

const NAMESPACE = 'default';
const RETENTION_SECONDS = 90 * 24 * 3600;

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
        ...SEARCH_ATTRIBUTES.flatMap(({ name, type }) => ['--search-attribute', `${name}=${TYPES[type].name}`]),
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

/**
 * Registers the search attributes that the namespace lacks.
 * @throws SluiceError InvalidInput where the server does not let us (Temporal Cloud does not): says which to add by hand
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  let missing = [...SEARCH_ATTRIBUTES];
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    missing = missing.filter(({ name, type }) => customAttributes[name] !== TYPES[type].value);
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, TYPES[type].value]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    throw new SluiceError(
      'InvalidInput',
      `the namespace ${namespace} needs the search attributes ${missing.map(({ name, type }) => `${name} (${TYPES[type].name})`).join(', ')}, and they could not be added: ${(error as Error).message}. ` +
        `Add them: temporal operator search-attribute create --namespace ${namespace} ${missing.map(({ name, type }) => `--name ${name} --type ${TYPES[type].name}`).join(' ')}`,
      undefined,
      { cause: error },
    );
  }
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
