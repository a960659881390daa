import canonicalize from 'canonicalize';
import type { ScheduleDescription } from '@temporalio/client';
import type { Difference } from '../domain/schedules/change.js';
import type { DesiredSchedule } from './desired.js';

type Comparable = Pick<ScheduleDescription, 'spec' | 'action' | 'policies'>;

/**
 * In which fields a schedule differs from what the registry wants. Whether it is paused, and its note, are no fields of it: those are the
 * operator's.
 */
export function differences(desired: DesiredSchedule, present: Comparable): Difference[] {
  const wanted = fields(desired as Comparable);
  const found = fields(present);
  return Object.keys(wanted).flatMap((field) => {
    const from = found[field] ?? '';
    const to = wanted[field] ?? '';
    return from === to ? [] : [{ field, from, to }];
  });
}

/** Everything that the registry decides, as text; what Temporal leaves out is written as its default. */
function fields({ spec, action, policies }: Comparable): Record<string, string> {
  const json = (value: unknown): string => canonicalize(value) ?? 'none';
  return {
    times: json(spec.calendars ?? []),
    'other times': json([spec.intervals ?? [], spec.skip ?? [], spec.startAt ?? null, spec.endAt ?? null]),
    'time zone': spec.timezone ?? 'UTC',
    'jitter (ms)': json(spec.jitter ?? 0),
    overlap: json(policies.overlap ?? 'SKIP'),
    'catch-up window (ms)': json(policies.catchupWindow),
    'pause on failure': json(policies.pauseOnFailure ?? false),
    workflow: `${action.workflowType} ${action.workflowId ?? ''} on ${action.taskQueue ?? ''}`,
    input: json(action.args ?? []),
    summary: action.staticSummary ?? '',
  };
}
