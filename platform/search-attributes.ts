import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Logger } from 'pino';
import { SEARCH_ATTRIBUTES } from '../domain/runs/search-attributes.js';
import { SluiceError } from './errors.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;

/** How Temporal's command line and its API call a type. */
const TYPES = {
  KEYWORD: { name: 'Keyword', value: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
  KEYWORD_LIST: { name: 'KeywordList', value: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST },
} as const;

/** A search attribute as an operator adds it. */
export interface AttributeToRegister {
  name: string;
  /** as Temporal's command line calls it: `Keyword` */
  type: string;
}

interface MissingAttribute extends AttributeToRegister {
  value: number;
  /** registered under this name, with another type */
  taken: boolean;
}

/** The search attributes that our workflows need. */
export const ATTRIBUTES_TO_REGISTER: readonly AttributeToRegister[] = SEARCH_ATTRIBUTES.map(toRegister);

function toRegister({ name, type }: (typeof SEARCH_ATTRIBUTES)[number]): MissingAttribute {
  return { name, type: TYPES[type].name, value: TYPES[type].value, taken: false };
}

/** Both of Temporal's connections have it. */
type Operator = Pick<Connection, 'operatorService'>;

async function missingAttributes({ operatorService }: Operator, namespace: string): Promise<MissingAttribute[]> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  return SEARCH_ATTRIBUTES.map(toRegister).flatMap((wanted) => {
    const found: number | undefined = customAttributes[wanted.name] ?? undefined;
    return found === wanted.value ? [] : [{ ...wanted, taken: found !== undefined }];
  });
}

/** PERMISSION_DENIED and UNIMPLEMENTED: what a server answers that lists its search attributes to administrators only */
const NOT_FOR_US = [7, 12];

/**
 * Checks that the namespace has every search attribute that our workflows set: without one, a workflow could not begin. A server that does
 * not let us look is believed, with a warning.
 * @throws SluiceError InvalidInput, naming those that are missing and the command that adds them; Unreachable when Temporal did not answer
 */
export async function requireSearchAttributes(
  connection: Operator,
  namespace: string,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  let missing: MissingAttribute[];
  try {
    missing = await missingAttributes(connection, namespace);
  } catch (error) {
    if (NOT_FOR_US.includes((error as { code?: number }).code ?? 0)) {
      log.warn({ err: error, namespace, needed: ATTRIBUTES_TO_REGISTER }, 'search attributes cannot be checked');
      return;
    }
    throw new SluiceError(
      'Unreachable',
      `Temporal did not list the search attributes of namespace ${namespace}: ${(error as Error).message}`,
      undefined,
      { cause: error },
    );
  }
  if (missing.length > 0) throw new SluiceError('InvalidInput', toAdd(namespace, missing));
}

/**
 * Registers the search attributes that the namespace lacks.
 * @throws SluiceError InvalidInput where the server does not let us (Temporal Cloud does not): says which to add by hand
 */
export async function ensureSearchAttributes(connection: Operator, namespace: string): Promise<void> {
  let missing = SEARCH_ATTRIBUTES.map(toRegister);
  try {
    missing = await missingAttributes(connection, namespace);
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(({ name, value }) => [name, value]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    throw new SluiceError(
      'InvalidInput',
      `${toAdd(namespace, missing)} They could not be added automatically: ${(error as Error).message}`,
      undefined,
      { cause: error },
    );
  }
}

const OPERATOR = 'temporal operator search-attribute';

/** The command that adds search attributes to a namespace. */
export function commandToAdd(namespace: string, attributes: readonly AttributeToRegister[]): string {
  const create = attributes.map(({ name, type }) => ` --name ${name} --type ${type}`).join('');
  return `${OPERATOR} create --namespace ${namespace}${create}`;
}

/** What an operator has to do. */
function toAdd(namespace: string, missing: readonly MissingAttribute[]): string {
  const taken = missing.filter((one) => one.taken);
  const names = missing.map(({ name, type }) => `${name} (${type})`).join(', ');
  const remove = taken.map(({ name }) => ` --name ${name}`).join('');
  return [
    `The Temporal namespace ${namespace} lacks the search attributes ${names}.`,
    ...(taken.length === 0
      ? []
      : [
          `${taken.map(({ name }) => name).join(', ')} is registered with another type; remove it first: ${OPERATOR} remove --namespace ${namespace}${remove}`,
        ]),
    `Add them: ${commandToAdd(namespace, missing)}`,
  ].join(' ');
}
