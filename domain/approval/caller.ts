export type { Caller } from '../../schemas/types.js';

/** Who asks where a run of ours does: it is no principal, and may weaken nothing. */
export const SCHEDULER = 'schedule';
export const DRIFT_MONITOR = 'drift';
