import type { WorkflowIdReusePolicy, SearchAttributePair } from '@temporalio/common';
import type { PendingApproval } from '../../workflows/approval/contract.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import type { Status } from '../exit-codes.js';
import type { Session } from '../session.js';

/** What every run answers to its query `progress`, and returns when it has ended. */
export interface RunProgress {
  status: Status;
  steps: readonly StepProgress[];
  /** null: nothing waits; absent: this kind of run asks nobody */
  approval?: PendingApproval<unknown> | null;
  why: string | null;
}

/** What names a run of this kind on the command line and in JSON. */
export interface RunRef {
  model: string;
}

/** How a run is started. */
export interface RunStart<Ref> {
  ref: Ref;
  workflowType: string;
  input: object;
  /** the first line of its page in the Temporal UI */
  summary: string;
  searchAttributes?: SearchAttributePair[];
  memo?: Record<string, string>;
}

/** A line that stays beside the steps and changes with its state: a job of a night. */
export interface ProgressItem {
  name: string;
  state: string;
  line: string;
}

/** What is shown of a run that is watched. */
export interface RunFrame {
  steps: readonly StepProgress[];
  /** lines beside the steps */
  items: readonly ProgressItem[];
  /** null while nothing waits for a person */
  waits: { what: string; proposal: string | null } | null;
}

/** One kind of run: everything in which releases, refreshes, thresholds and drift runs differ for the command line. */
export interface RunKind<Ref extends RunRef, Progress extends RunProgress> {
  /** `release`: names its command, too */
  noun: string;
  /** those that `list` shows */
  workflowTypes: readonly string[];
  workflowId(ref: Ref): string;
  /** the reverse, for a list */
  refOf(workflowId: string): Ref;
  /** false: a run that is part of another one, in whose view it is */
  isListed?(parentWorkflowId: string | undefined): boolean;
  /** the run on the command line: `2025-06-30 --job fxRates` */
  words(ref: Ref): string;
  /**
   * What becomes of an id that was used: `REJECT_DUPLICATE` finds the run that has it, `ALLOW_DUPLICATE_FAILED_ONLY` finds it unless it failed, and
   * `ALLOW_DUPLICATE` finds only one that still runs.
   */
  reuse: WorkflowIdReusePolicy;
  /** Whether a run that ended well may be run again all the same; what it returned decides. */
  mayRepeat?(result: Progress): boolean;
  /** the whole run for people; `withSteps` is false where they have just been watched */
  text(shown: Shown<Ref, Progress>, withSteps: boolean): string;
  /** beside the steps, while it is watched */
  items?(progress: Progress): ProgressItem[];
  /** what is proposed, shown once while a decision is awaited */
  proposal?(progress: Progress): string;
  /** what `approve` needs besides a reason, with a blank before it */
  approveWords?(progress: Progress): string;
  /** read beside the progress; part of the JSON */
  more?(session: Session, workflowId: string, progress: Progress): Promise<Record<string, unknown>>;
  /** What a status says that was true when it was said and may not be any more: asked once for a whole list. */
  now?(session: Session, runs: readonly { ref: Ref; status: string }[]): Promise<(ref: Ref, status: string) => string>;
  /** the run's line in a list, without time and status */
  listed(ref: Ref): string;
}

/** A run as its text is made of it. */
export interface Shown<Ref, Progress> {
  ref: Ref;
  progress: Progress;
  /** why the workflow itself failed */
  error: string | null;
  url: string;
  /** what a person types to decide, where a decision is awaited */
  approve: string;
  more: Record<string, unknown>;
}
