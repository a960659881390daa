import type { ScheduleChange } from '../../domain/schedules/change.js';

/** queue `release` */
export interface WaitActivities {
  /** Returns when the workflow has closed (or never was); heartbeats while it waits. */
  waitForWorkflow(input: { workflowId: string }): Promise<void>;
}

/** How a run stands that somebody waits for. */
export type RunState =
  /** `status` as the run says it; absent in answers of before 25 November 2026, null where it says none */
  | { state: 'completed'; status?: string | null }
  | { state: 'waiting-for-approval' }
  /**
   * failed, cancelled, terminated or timed out; `why` in words. `type`: that of the innermost failure, or `cancelled`; null where there is
   * none, absent in answers of before 25 November 2026
   */
  | { state: 'failed'; why: string; type?: string | null };

/** What a schedule let fall without a word: Temporal counts it and tells nobody. */
export interface ScheduleLoss {
  model: string;
  schedule: string;
  /** when the schedule was made, ISO; its counters began then */
  createdAt: string;
  /** actions that were due while an earlier one still ran */
  skippedByOverlap: number;
  /** actions that were due while the server was down for longer than the catch-up window */
  missedCatchup: number;
}

/** queue `release`: as long as the run takes */
export interface AwaitRunActivities {
  /** Returns when the newest run of this id has closed, or waits for a person; heartbeats meanwhile. */
  awaitRun(input: { workflowId: string }): Promise<RunState>;
}

/** queue `release` */
export interface ScheduleActivities {
  /** Every schedule of ours that has lost an action since it was made. */
  scheduleLosses(): Promise<ScheduleLoss[]>;
}

/** queue `release` */
export interface ApplySchedulesActivities {
  /** What applying the registry would change. */
  planSchedules(input: { asOfOffsetDays: number | null }): Promise<ScheduleChange[]>;
  /** Makes Temporal's schedules agree with the registry; again, it changes nothing. Conflict where an id is taken by a schedule of others. */
  applySchedules(input: { asOfOffsetDays: number | null }): Promise<void>;
}
