import { readFile } from 'node:fs/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { SluiceError } from '../../platform/errors.js';
import { QUEUES } from '../../workflows/common/queues.js';
import {
  thresholdsWorkflowId,
  WORKFLOW,
  type ThresholdsInput,
} from '../../workflows/recalibrateThresholds/contract.js';
import type { Session } from '../session.js';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** Starts a recalibration, or finds the one that has this key; one that failed may be tried again. */
export async function startThresholds(
  session: Session,
  input: ThresholdsInput,
): Promise<{ started: boolean; handle: WorkflowHandle }> {
  const workflowId = thresholdsWorkflowId(input.model, input.key);
  try {
    const handle = await session.client.workflow.start(WORKFLOW, {
      taskQueue: QUEUES.release,
      workflowId,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `thresholds of ${input.model} as of ${input.asOf}, by ${input.requestedBy}: ${input.reason}`,
    });
    return { started: true, handle };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { started: false, handle: session.client.workflow.getHandle(workflowId) };
  }
}

/** The run's handle; NotFound with what to do where there is none. */
export async function findThresholds(session: Session, model: string, key: string): Promise<WorkflowHandle> {
  const handle = session.client.workflow.getHandle(thresholdsWorkflowId(model, key));
  try {
    await handle.describe();
    return handle;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new SluiceError(
        'NotFound',
        `no thresholds ${key} of ${model}: \`sluice thresholds list\` shows those there are`,
      );
    throw error;
  }
}

export interface ThresholdsEntry {
  key: string;
  model: string;
  status: string;
  startedAt: string;
  closedAt: string | null;
  workflowId: string;
}

/** Recalibrations, newest first. */
export async function listThresholds(session: Session, limit: number): Promise<ThresholdsEntry[]> {
  const found: ThresholdsEntry[] = [];
  for await (const info of session.client.workflow.list({ query: `WorkflowType = '${WORKFLOW}'` })) {
    if (found.length >= limit) break;
    const [, model = '', key = ''] = info.workflowId.split('/');
    const status = info.status.name.toLowerCase();
    found.push({
      key,
      model,
      // A run that failed in its first moments, or was terminated, has no last word of its own.
      status: ['running', 'completed', 'failed'].includes(status)
        ? (info.typedSearchAttributes.get(STATUS_ATTRIBUTE) ?? status)
        : status,
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
      workflowId: info.workflowId,
    });
  }
  return found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

/**
 * An approver's thresholds in a JSON file: `{"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}`. What they may be is the run's to say.
 * @throws SluiceError InvalidInput
 */
export async function readEdits(path: string): Promise<Record<string, unknown>> {
  const refuse = (why: string): never => {
    throw new SluiceError('InvalidInput', `--edits ${path} ${why}`);
  };
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse(`cannot be read (${error.code})`),
  );
  let edits: unknown;
  try {
    edits = JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON: ${(error as Error).message}`);
  }
  return typeof edits === 'object' && edits !== null && !Array.isArray(edits)
    ? (edits as Record<string, unknown>)
    : refuse('must hold an object like {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}');
}
