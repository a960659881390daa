import type { CatchUp } from '../control/pointer-follower.js';
import type { Readiness } from '../control/readiness.js';
import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';

/** What serving sees of control: calls in one process, what the last message said in several. */
export interface ControlView {
  readiness(): Readiness;
  /** of all serving processes together; null when it is off */
  predictionLog(): PredictionLogStatus | null;
  /** follows the pointer now; null when the bundle is pinned */
  catchUp: (() => Promise<CatchUp>) | null;
}
