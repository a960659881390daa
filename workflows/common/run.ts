import {
  defineQuery,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { holdsValue } from '../../domain/runs/holds.js';
import {
  HOLDS_ATTRIBUTE,
  MODEL_ATTRIBUTE,
  RELEASE_ATTRIBUTE,
  STATUS_ATTRIBUTE,
} from '../../domain/runs/search-attributes.js';
import { notificationOf, type EventKind, type Events } from '../../domain/notification/events.js';
import { PROGRESS_QUERY, type RunProgress } from './contract.js';
import { bounded } from './details.js';
import { countStatus } from './metrics.js';
import { handOver, logUnsent } from './notify.js';
import { PATCHES } from './patches.js';
import { StepLog, type StepProgress } from './progress.js';
import { shortCalls } from './proxies.js';
import { reasonOf } from './reason.js';

export interface RunOptions<Step extends string, Progress extends RunProgress> {
  model: string;
  /** in order */
  steps: readonly Step[];
  /** what is known at the start */
  progress: (steps: StepProgress[]) => Progress;
  /** the run as Markdown, for the Temporal UI's current details */
  describe: (progress: Progress, workflowId: string) => string;
  /** names the change that the run makes, if it makes one */
  releaseId?: string;
  /** versions of the bundles that it needs from the start; null and undefined name none */
  holds?: readonly (string | null | undefined)[];
  /** what the query `progress` answers; without it, the whole progress */
  answer?: (progress: Progress) => unknown;
  /** whether this kind of run upserted its status already before `PATCHES.runsSayWhatTheyHold`: then it does so in every history */
  upsertedBefore: boolean;
}

/** Names the failure of a run, whoever tells of it. */
export function failureKey(workflowId: string): string {
  return `${workflowId}/failed`;
}

/**
 * A run as people and other parts of the system see it. Every change shows in the query, in the UI's details and, when the status or what
 * it holds changes, in its search attributes.
 */
export class Run<Step extends string, Progress extends RunProgress> {
  readonly log: StepLog;
  readonly progress: Progress;
  private readonly held: Set<string>;
  private readonly saysWhatItHolds: boolean;
  private readonly upserts: boolean;
  private readonly handsOver: boolean;
  private readonly notifications: Promise<void>[] = [];

  constructor(private readonly options: RunOptions<Step, Progress>) {
    const { model, steps, releaseId, holds = [], answer, upsertedBefore } = options;
    this.log = new StepLog(steps, () => this.show());
    this.progress = options.progress(this.log.steps);
    this.held = new Set(holds.filter((version) => typeof version === 'string'));
    setHandler(defineQuery<unknown>(PROGRESS_QUERY), () => (answer ?? ((all) => all))(this.progress));
    this.saysWhatItHolds = patched(PATCHES.runsSayWhatTheyHold);
    this.handsOver = patched(PATCHES.notificationsOfTheirOwn);
    this.upserts = this.saysWhatItHolds || upsertedBefore;
    if (this.upserts)
      upsertSearchAttributes([
        { key: MODEL_ATTRIBUTE, value: model },
        ...(releaseId === undefined ? [] : [{ key: RELEASE_ATTRIBUTE, value: releaseId }]),
        { key: STATUS_ATTRIBUTE, value: this.progress.status },
        { key: HOLDS_ATTRIBUTE, value: holdsValue(this.held) },
      ]);
    this.show();
  }

  /** Runs one step; its start, end and failure show. `detail` turns its result into one line. */
  step<T>(name: Step, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    return this.log.run(name, work, detail);
  }

  update(change: Partial<Omit<Progress, 'steps'>>): void {
    const before = this.progress.status;
    Object.assign(this.progress, change);
    if (this.progress.status !== before) countStatus(this.options.model, this.progress.status);
    if (this.upserts && this.progress.status !== before)
      upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
    this.show();
  }

  /** The run ends like this, for this reason: nothing waits for a decision any more, and steps that never began are skipped. */
  end(status: Progress['status'], why: string | null): void {
    const { progress } = this;
    this.update({ status, why, ...('approval' in progress ? { approval: null } : {}) } as Partial<Progress>);
    this.log.close();
  }

  /** The run failed: says why, and returns it. */
  fail(error: unknown): string {
    const why = reasonOf(error);
    this.end('Failed', why);
    return why;
  }

  /**
   * Says that the run needs these bundles from here to its end, so that nobody deletes them: call it before they are used. Null and undefined
   * name none.
   */
  hold(...versions: (string | null | undefined)[]): void {
    const before = this.held.size;
    for (const version of versions) if (typeof version === 'string') this.held.add(version);
    if (this.saysWhatItHolds && this.held.size > before)
      upsertSearchAttributes([{ key: HOLDS_ATTRIBUTE, value: holdsValue(this.held) }]);
  }

  /**
   * Notifies people of an event, once per key; waits for no channel, and outlives the run.
   * @param occasion completes the key, after the run's own ids
   */
  notify<Kind extends EventKind>(kind: Kind, occasion: string, facts: Events[Kind]): void {
    const { workflowId, runId } = workflowInfo();
    this.notifyWithKey(kind, `${workflowId}/${runId}/${occasion}`, facts);
  }

  /** As `notify`, with a key that others may use as well: whoever is first is heard. */
  notifyWithKey<Kind extends EventKind>(
    kind: Kind,
    key: string,
    facts: Events[Kind],
    about = workflowInfo().workflowId,
  ): void {
    if (this.handsOver) this.trackNotification(handOver(this.options.model, notificationOf(kind, key, about, facts)));
  }

  /** The run failed. The key is that of whoever started it, too: it is told once. */
  notifyFailure<Kind extends 'checksFailed' | 'undone' | 'runFailed'>(kind: Kind, facts: Events[Kind]): void {
    this.notifyWithKey(kind, failureKey(workflowInfo().workflowId), facts);
  }

  /** As `notifyWithKey`, for what runs told already before `PATCHES.notificationsOfTheirOwn`: resolves when they go on. */
  notifyAsBefore<Kind extends EventKind>(
    kind: Kind,
    key: string,
    facts: Events[Kind],
    about = workflowInfo().workflowId,
  ): Promise<void> {
    if (!this.handsOver) return shortCalls.notify(notificationOf(kind, key, about, facts));
    this.notifyWithKey(kind, key, facts, about);
    return Promise.resolve();
  }

  /** Takes a notification that is on its way: a channel that is down holds up neither what goes live nor a decision. */
  trackNotification(notification: Promise<void>): void {
    this.notifications.push(logUnsent(notification));
  }

  /** Resolves when everything handed to `trackNotification` has been sent, or could not be. */
  async notified(): Promise<void> {
    await Promise.all(this.notifications);
  }

  /** Shows what has changed in `progress` otherwise than through `update`. */
  protected show(): void {
    setCurrentDetails(bounded(this.options.describe(this.progress, workflowInfo().workflowId)));
  }
}
