import type { CatchUp } from '../control/pointer-follower.js';
import type { Readiness } from '../control/readiness.js';
import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';

/** The whole replica at this moment, all its serving processes together. */
export interface ReplicaState extends Readiness {
  /** null when it is off */
  predictionLog: PredictionLogStatus | null;
}

/** What serving sees of control: calls in one process, questions to the control process in several. */
export interface ControlView {
  state(): Promise<ReplicaState>;
  /** follows the pointer now; null when the bundle is pinned */
  catchUp: (() => Promise<CatchUp>) | null;
}
