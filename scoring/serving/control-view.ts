import type { CatchUp } from '../control/pointer-follower.js';
import type { Readiness } from '../control/readiness.js';
import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';

/** The whole replica at this moment, all its serving processes together. */
export interface ReplicaState extends Readiness {
  /** null when it is off */
  predictionLog: PredictionLogStatus | null;
  /** when what is served was last known to be what the pointer names, as ISO time; null when it is, or is pinned */
  staleSince: string | null;
}

/** What serving sees of control: calls in one process, questions to the control process in several. */
export interface ControlView {
  state(): Promise<ReplicaState>;
  /** of all processes together, in Prometheus's text format; null where the one that is asked has all of it */
  metrics: (() => Promise<string>) | null;
  /** looks now for what should be served: at the pointer, or at the directory of a pinned bundle */
  catchUp(): Promise<CatchUp>;
}
