import { readdirSync, readFileSync } from 'node:fs';
import proto from '@temporalio/proto';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { projectPath } from '../../platform/project.js';

export type History = proto.temporal.api.history.v1.History;
type Event = proto.temporal.api.history.v1.IHistoryEvent;
type Payload = proto.temporal.api.common.v1.IPayload;

const directory = projectPath('test', 'replay', 'histories');

/** The names of the frozen histories. */
export const HISTORIES = readdirSync(directory).filter((name) => name.endsWith('.bin'));

export function readHistory(name: string): History {
  return proto.temporal.api.history.v1.History.decode(readFileSync(`${directory}/${name}`));
}

export function workflowTypeOf({ events: [started] }: History): string {
  return started?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
}

/** How a run ended: its outcome or last status, and the type of the innermost failure where it failed. */
export interface End {
  outcome: string;
  failure: string | null;
}

/** As the history itself says it, whatever its file is called. */
export function endOf({ events }: History): End {
  const last = events.at(-1);
  const status = events.map(statusIn).findLast((one) => one !== null) ?? null;
  if (last?.workflowExecutionCompletedEventAttributes) {
    const result = valueOf(last.workflowExecutionCompletedEventAttributes.result?.payloads?.[0]);
    const said = (typeof result === 'object' && result !== null ? result : {}) as Record<string, unknown>;
    const outcome = [said['outcome'], status, said['status']].find((one) => typeof one === 'string') as string;
    return { outcome: outcome ?? 'completed', failure: null };
  }
  if (last?.workflowExecutionContinuedAsNewEventAttributes) return { outcome: 'continued', failure: null };
  if (last?.workflowExecutionCanceledEventAttributes) return { outcome: status ?? 'failed', failure: 'cancelled' };
  let failure: string | null = null;
  for (let cause = last?.workflowExecutionFailedEventAttributes?.failure; cause; cause = cause.cause)
    failure = cause.applicationFailureInfo?.type ?? failure;
  return { outcome: status ?? 'failed', failure };
}

/** What the run said of itself, where this event is where it did. */
function statusIn({ upsertWorkflowSearchAttributesEventAttributes: upsert }: Event): string | null {
  const status = valueOf(upsert?.searchAttributes?.indexedFields?.[STATUS_ATTRIBUTE.name]);
  return typeof status === 'string' ? status : null;
}

function valueOf(payload: Payload | null | undefined): unknown {
  const text = Buffer.from(payload?.data ?? []).toString('utf8');
  return text === '' ? null : (JSON.parse(text) as unknown);
}
