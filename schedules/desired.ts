import {
  DAYS_OF_WEEK,
  MONTHS,
  type CalendarSpecDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  type Workflow,
} from '@temporalio/client';
import { scheduleMark } from '../domain/schedules/mark.js';
import { launcherId, WORKFLOW, type LaunchInput } from '../workflows/launchScheduled/contract.js';
import { QUEUES } from '../workflows/common/queues.js';
import type { ScheduleEntry } from './registry.js';
import { MODEL_ATTRIBUTE } from '../domain/runs/search-attributes.js';

type Action = ScheduleOptionsStartWorkflowAction<Workflow>;
export type DesiredSchedule = Required<
  Pick<ScheduleOptions<Action>, 'spec' | 'action' | 'policies' | 'state' | 'memo'>
> & {
  scheduleId: string;
};

/** The id of a schedule in Temporal. */
export function scheduleId(model: string, name: string): string {
  return `sluice/${model}/${name}`;
}

/**
 * A line of the timetable as Temporal takes it.
 * @param asOfOffsetDays whole days that every run of it adds to its scheduled time
 */
export function desiredSchedule(entry: ScheduleEntry, model: string, asOfOffsetDays: number): DesiredSchedule {
  const input: LaunchInput = {
    model,
    schedule: entry.name,
    job: entry.job,
    asOfOffsetDays,
    pausesOnFailure: entry.pauseOnFailure,
  };
  return {
    scheduleId: scheduleId(model, entry.name),
    spec: {
      calendars: [calendar(entry.at)],
      timezone: entry.at.timeZone,
      jitter: entry.jitterSeconds * 1000,
    },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW,
      workflowId: launcherId(model, entry.name),
      taskQueue: QUEUES.release,
      args: [input],
      typedSearchAttributes: [{ key: MODEL_ATTRIBUTE, value: model }],
      staticSummary: `${model}: ${entry.what}`,
    },
    policies: {
      overlap: entry.overlap,
      catchupWindow: entry.catchupHours * 3600 * 1000,
      pauseOnFailure: entry.pauseOnFailure,
    },
    state: entry.startsPaused
      ? { paused: true, note: `off by default; \`sluice schedules resume ${entry.name} --reason WHY\` turns it on` }
      : { paused: false },
    memo: { ...scheduleMark(model, entry.name) },
  };
}

/** Written out in full, as the server answers it, so that the two can be compared. */
function calendar(at: ScheduleEntry['at']): CalendarSpecDescription {
  const only = <T>(value: T) => [{ start: value, end: value, step: 1 }];
  return {
    second: only(0),
    minute: only(at.minute),
    hour: only(at.hour),
    dayOfMonth: [{ start: 1, end: 31, step: 1 }],
    month: [{ start: MONTHS[0], end: MONTHS[11], step: 1 }],
    year: [],
    comment: '',
    dayOfWeek: at.days === 'every' ? [{ start: DAYS_OF_WEEK[0], end: DAYS_OF_WEEK[6], step: 1 }] : only(at.days),
  };
}
