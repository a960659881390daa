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
  /**
   * of a day without a verdict: the key of the model version's newest day before it that has one, null where there is none; absent in other
   * days, and in those of before 25 November 2026
   */
  since?: string | null;
  /** rows of the window */
  rows: number;
  featuresWithDrift: string[];
  /** by feature, and `score` for the predictions; null where it could not be computed */
  psi: Record<string, number | null>;
  alertRate: number | null;
  /** the window's alert rate over the reference's; null when either is unknown */
  alertRateRatio: number | null;
  /** what would make drift that lasts start a retraining; absent in days of before */
  pressures?: readonly string[];
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
