import type { ScheduleChange } from '../../domain/schedules/change.js';
import { SluiceError } from '../../platform/errors.js';
import type { ApplySchedulesActivities } from './contract.js';

/** Applies the registry to Temporal, or only says what that would change. */
export type ApplyRegistry = (options: { asOfOffsetDays: number | null; dryRun: boolean }) => Promise<ScheduleChange[]>;

/** @param apply handed in: activities know nothing of the timetable */
export function createApplySchedulesActivities(apply: ApplyRegistry): ApplySchedulesActivities {
  const checked = (asOfOffsetDays: number | null): number | null => {
    if (asOfOffsetDays !== null && !Number.isInteger(asOfOffsetDays))
      throw new SluiceError('InvalidInput', `/asOfOffsetDays is ${asOfOffsetDays}; it must be whole days`);
    return asOfOffsetDays;
  };
  return {
    planSchedules: async ({ asOfOffsetDays }) => apply({ asOfOffsetDays: checked(asOfOffsetDays), dryRun: true }),
    async applySchedules({ asOfOffsetDays }) {
      await apply({ asOfOffsetDays: checked(asOfOffsetDays), dryRun: false });
    },
  };
}
