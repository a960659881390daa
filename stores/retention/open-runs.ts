import type { Client } from '@temporalio/client';
import { heldVersions } from '../../domain/runs/holds.js';
import { HOLDS_ATTRIBUTE, MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { SluiceError } from '../../platform/errors.js';
import { ATTRIBUTES_TO_REGISTER, commandToAdd } from '../../platform/search-attributes.js';

/** A running workflow of a model that may need bundles. */
export interface OpenRun {
  workflowId: string;
  /** ISO */
  startedAt: string;
  /** versions of the bundles that it needs; null: it has not said, so it may need any */
  holds: string[] | null;
}

/** These need no bundle: what prunes, what a schedule starts it with, and the small operations that say nothing. */
const NEED_NOTHING: readonly string[] = [
  'pruneArtifacts',
  'launchScheduled',
  'sendNotification',
  'publishExpertFile',
  'importLabels',
  'pinBundle',
  'deleteTransactions',
  'applySchedules',
];
/**
 * Workflows that set neither attribute before decision 0017 and never will, where they began before it; their ids name the model. A rollback
 * that has not had its first turn is found in the same way.
 */
const SAID_NOTHING_BEFORE = ['rolloutBundle', 'rollbackRelease'];

/**
 * Running workflows of this model, oldest first, as visibility knows them: some milliseconds late, so that whoever deletes must look at the
 * pointers once more when it can no longer be undone by others.
 * @throws SluiceError InvalidInput where the namespace does not know an attribute that is asked for
 */
export async function openRuns(client: Client, model: string): Promise<OpenRun[]> {
  const silent = SAID_NOTHING_BEFORE.map((type) => `'${type}'`).join(', ');
  const { name: ofModel } = MODEL_ATTRIBUTE;
  const query = `ExecutionStatus = 'Running' AND (${ofModel} = '${model.replaceAll("'", "''")}' OR (${ofModel} IS NULL AND ${HOLDS_ATTRIBUTE.name} IS NULL AND WorkflowType IN (${silent})))`;
  const found: OpenRun[] = [];
  try {
    for await (const { type, workflowId, startTime, typedSearchAttributes } of client.workflow.list({ query })) {
      if (NEED_NOTHING.includes(type)) continue;
      if (typedSearchAttributes.get(MODEL_ATTRIBUTE) === undefined && !`${workflowId}/`.includes(`/${model}/`))
        continue;
      const holds = heldVersions(typedSearchAttributes.get(HOLDS_ATTRIBUTE));
      found.push({ workflowId, startedAt: startTime.toISOString(), holds });
    }
  } catch (error) {
    throw notRegistered(error, client.options.namespace) ?? error;
  }
  return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/** What the server's refusal of the query means, where it means that an attribute is missing; else null. */
function notRegistered(error: unknown, namespace: string): SluiceError | null {
  const text = [error, (error as { cause?: unknown }).cause].map(String).join(' ');
  const asked = [MODEL_ATTRIBUTE.name, HOLDS_ATTRIBUTE.name].find((name) => text.includes(name));
  const missing = ATTRIBUTES_TO_REGISTER.find(({ name }) => name === asked);
  if (missing === undefined) return null;
  return new SluiceError(
    'InvalidInput',
    `the namespace ${namespace} does not know the search attribute ${missing.name}, without which nobody can tell which bundles running workflows need: nothing is deleted. ` +
      `Add it: ${commandToAdd(namespace, [missing])}`,
    undefined,
    { cause: error },
  );
}
