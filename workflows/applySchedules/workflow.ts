import type { ScheduleChange } from '../../domain/schedules/change.js';
import { authorise, operationLog } from '../common/operation.js';
import { answered } from '../common/proxies.js';
import { applyOperation, STEPS, type ApplySchedulesInput } from './contract.js';

/** Makes Temporal's schedules agree with the registry of the worker's code. */
export async function applySchedules(input: ApplySchedulesInput): Promise<ScheduleChange[]> {
  const { asOfOffsetDays } = input;
  const log = operationLog('Apply the schedules', input, STEPS);
  await authorise(log, '*', applyOperation(input), input);
  // Planned first: an application that is repeated finds nothing left to do, and the answer must not be "nothing".
  const changes = await log.run(
    'plan',
    () => answered.planSchedules({ asOfOffsetDays }),
    (planned) => `${planned.filter(({ change }) => change !== 'none').length} of ${planned.length} differ`,
  );
  await log.run('apply', () => answered.applySchedules({ asOfOffsetDays }));
  return changes;
}
