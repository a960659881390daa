/** What one comparison came to. */
export type DriftVerdict = 'none' | 'warn' | 'drift' | 'inconclusive';

/** One run's result: small enough for workflow history; the whole report lies in S3. */
export interface DriftDay {
  model: string;
  key: string;
  asOf: string;
  /** the bundle whose training data was the reference */
  bundleVersion: string;
  modelVersion: string;
  verdict: DriftVerdict;
  /** in words, also when there is no drift */
  why: string;
  /** rows of the window */
  rows: number;
  featuresWithDrift: string[];
  /** by feature, and `score` for the predictions; null where it could not be computed */
  psi: Record<string, number | null>;
  alertRate: number | null;
  /** the window's alert rate over the reference's; null when either is unknown */
  alertRateRatio: number | null;
  /** age of the window's newest row at `asOf`, in hours; null without rows */
  stalenessHours: number | null;
  /** the newest row is older than the spec allows: what is scored has stopped coming */
  isStale: boolean;
  /** days with drift among the last so many, this one counted */
  sustained: { days: number; required: number; of: number };
  /** what the rule asks for; whether a retraining starts is decided by the cool-down */
  action: 'none' | 'alert' | 'retrain';
  /** S3 keys; null when there was too little to compare, so that the key may be run again */
  reportKey: string | null;
  pageKey: string | null;
}

/** A retraining that drift asked for. One per release id; `startedAt` is null until its release is known to run. */
export interface RetrainingClaim {
  releaseId: string;
  asOf: string;
  reason: string;
  claimedAt: string;
  startedAt: string | null;
}

export interface DriftTarget {
  model: string;
  key: string;
  asOf: string;
  bundle: { version: string; manifestSha256: string };
}

/** queue `data`: reads every scored row of the window once, in typed columns */
export interface DriftActivities {
  /**
   * Compares what was scored in the window before `asOf` with the bundle's reference profile, stores report and page once per key, and the day
   * in `drift_reports`. Asked again for a key that has a report, it answers with that report's day.
   */
  compareWindow(input: DriftTarget): Promise<DriftDay>;
  /** The window's own profile, stored once per key, in S3 and in `drift_snapshots`. */
  snapshotWindow(input: DriftTarget): Promise<KeptSnapshot>;
}

export interface KeptSnapshot {
  model: string;
  key: string;
  asOf: string;
  rows: number;
  /** null when the window held nothing to describe */
  snapshotKey: string | null;
  why: string;
}

/** queue `release` */
export interface RetrainingActivities {
  /** Report and page as artifacts, figures as metrics, in one MLflow run per model and key of the experiment `{model}-drift`. */
  logDriftReport(input: { model: string; key: string }): Promise<{ runId: string; url: string }>;
  /**
   * The right to start a retraining: one per cool-down of the model's spec, counted by `asOf`. `start`: the claim's release is to be started now; it is the asker's
   * own claim, or one whose run was stopped before it could start it. `started`: the asker's own, and its release runs or ran.
   */
  claimRetraining(input: {
    model: string;
    releaseId: string;
    asOf: string;
    reason: string;
    /** from the workflow's clock */
    claimedAt: string;
  }): Promise<{ outcome: 'start' | 'started' | 'cooling-down'; claim: RetrainingClaim; until: string }>;
  /** That the claim's release runs; no further effect when asked again. */
  recordRetraining(input: { model: string; key: string; releaseId: string; startedAt: string }): Promise<void>;
}
