import type { StepProgress } from './progress.js';

/** The query that every run answers with how it stands. */
export const PROGRESS_QUERY = 'progress';

/** What every run shows of itself. */
export interface RunProgress {
  status: string;
  steps: StepProgress[];
  /** why it ended as it did; null while it runs and where there is nothing to say */
  why: string | null;
}
