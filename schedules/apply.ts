import { ScheduleNotFoundError, type ScheduleClient, type ScheduleDescription } from '@temporalio/client';
import type { ScheduleChange } from '../domain/schedules/change.js';
import { readScheduleMark } from '../domain/schedules/mark.js';
import { SluiceError } from '../platform/errors.js';
import { desiredSchedule, type DesiredSchedule } from './desired.js';
import { differences } from './diff.js';
import type { ScheduleEntry } from './registry.js';

export interface ApplyOptions {
  registry: readonly ScheduleEntry[];
  /** the models that exist; schedules of ours for any other model are deleted */
  models: readonly string[];
  /** null: each schedule keeps the offset it has (a new one: 0) */
  asOfOffsetDays: number | null;
  /** only say what would be done */
  dryRun: boolean;
}

/**
 * Makes Temporal's schedules agree with the registry: creates, updates what differs, deletes ours that left it. Applied again it changes
 * nothing. An operator's pause and note survive; a schedule without our mark is left alone.
 * @throws SluiceError Conflict where a schedule that is not ours has an id the registry wants; nothing has been changed then
 */
export async function applySchedules(client: ScheduleClient, options: ApplyOptions): Promise<ScheduleChange[]> {
  const planned = await Promise.all(
    options.models.flatMap((model) => options.registry.map((entry) => plan(client, entry, model, options))),
  );
  const wanted = new Set(planned.map(({ change }) => change.scheduleId));
  const strays = await straysOf(client, wanted);
  if (!options.dryRun) {
    for (const { desired, change } of planned) await carryOut(client, desired, change);
    for (const stray of strays) await client.getHandle(stray.scheduleId).delete();
  }
  return [...planned.map(({ change }) => change), ...strays];
}

interface Planned {
  desired: DesiredSchedule;
  change: ScheduleChange;
}

async function plan(
  client: ScheduleClient,
  entry: ScheduleEntry,
  model: string,
  { asOfOffsetDays }: ApplyOptions,
): Promise<Planned> {
  const fresh = desiredSchedule(entry, model, asOfOffsetDays ?? 0);
  const { scheduleId } = fresh;
  const base = { scheduleId, model, name: entry.name };
  const present = await describeOrNull(client, scheduleId);
  if (present === null) return { desired: fresh, change: { ...base, change: 'create', differences: [] } };
  if (readScheduleMark(present.memo) === null)
    throw new SluiceError(
      'Conflict',
      `The schedule ${scheduleId} exists and was not made by Sluice: rename or delete it (\`temporal schedule delete --schedule-id ${scheduleId}\`), then apply again.`,
    );
  const desired = desiredSchedule(entry, model, asOfOffsetDays ?? offsetOf(present));
  const found = differences(desired, present);
  return { desired, change: { ...base, change: found.length === 0 ? 'none' : 'update', differences: found } };
}

async function carryOut(client: ScheduleClient, desired: DesiredSchedule, { change }: ScheduleChange): Promise<void> {
  if (change === 'create') await client.create(desired);
  if (change === 'update')
    await client.getHandle(desired.scheduleId).update(({ state }) => ({
      spec: desired.spec,
      action: desired.action,
      policies: desired.policies,
      state,
    }));
}

/** Ours, and no longer in the registry. */
async function straysOf(client: ScheduleClient, wanted: ReadonlySet<string>): Promise<ScheduleChange[]> {
  const strays: ScheduleChange[] = [];
  for await (const { scheduleId, memo } of client.list()) {
    const mark = readScheduleMark(memo);
    if (mark === null || wanted.has(scheduleId)) continue;
    strays.push({ change: 'delete', scheduleId, model: mark.model, name: mark.schedule, differences: [] });
  }
  return strays;
}

/** The description, or null where there is no such schedule. */
export async function describeOrNull(client: ScheduleClient, scheduleId: string): Promise<ScheduleDescription | null> {
  try {
    return await client.getHandle(scheduleId).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** The offset that a schedule's runs add now. */
export function offsetOf({ action }: Pick<ScheduleDescription, 'action'>): number {
  const [input] = (action.args ?? []) as { asOfOffsetDays?: unknown }[];
  return typeof input?.asOfOffsetDays === 'number' ? input.asOfOffsetDays : 0;
}
