/** A field in which a schedule of Temporal's differs from the registry. */
export interface Difference {
  field: string;
  from: string;
  to: string;
}

/** What applying the registry does, or would do, to one schedule. */
export interface ScheduleChange {
  change: 'create' | 'update' | 'delete' | 'none';
  scheduleId: string;
  model: string;
  name: string;
  /** of an update */
  differences: Difference[];
}
