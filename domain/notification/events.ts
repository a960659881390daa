import { paddedTable } from './table.js';
import type { Notification } from './notification.js';

/** What people decide on. */
interface Decidable {
  model: string;
  /** `release r1` */
  what: string;
  /** what to type */
  approve: string;
  reject: string;
}
interface Ended {
  model: string;
  what: string;
  why: string;
  /** what to type to try again; null: there is no one command for it */
  again: string | null;
}
interface Job {
  model: string;
  /** the day that it is for */
  day: string;
  again: string;
}
interface Schedule {
  model: string;
  schedule: string;
}
interface Drift {
  model: string;
  what: 'drift' | 'stale data';
  day: string;
  /** of the drift run */
  key: string;
  why: string;
  /** how old the newest row is, where that is what is wrong; null otherwise */
  staleHours: number | null;
}

/** Everything that people are notified of, and the facts that its text is made of. */
export interface Events {
  approvalOpened: Decidable & {
    question: string;
    table: readonly (readonly string[])[];
    deadline: string;
    warning?: string | null;
  };
  approvalReminder: Decidable & { hoursLeft: number };
  approvalDecided: { model: string; what: string; verdict: 'approve' | 'reject'; actor: string; reason: string };
  approvalExpired: { model: string; what: string };
  wentLive: { model: string; what: string; version: string; generation: number; figures: string | null };
  checksFailed: Ended;
  undone: Ended;
  superseded: Ended;
  runFailed: Ended;
  undoFailed: { what: string; failures: string };
  undoIncomplete: { model: string; former: string; why: string };
  nothingToRestore: { model: string; version: string; why: string };
  refreshJobFailed: Job & { job: string; error: string | null };
  refreshFailed: Job & { why: string };
  nothingLive: { model: string };
  lookupUnchanged: { model: string; day: string; lookup: string; failures: readonly string[] };
  lookupsHeld: Decidable & { day: string; lookups: readonly string[]; failures: readonly string[]; deadline: string };
  lookupsSuperseded: Job & { lookups: readonly string[]; why: string };
  schedulePaused: Schedule & { run: string; why: string };
  scheduledRunFailed: Schedule & { run: string; why: string };
  runsMissed: Schedule & { skippedByOverlap: number; missedCatchup: number };
  replicaSilent: {
    model: string;
    environment: string;
    replicaId: string;
    address: string;
    /** the bundle whose rollout goes on */
    version: string;
    why: string | null;
  };
  decisionsRefused: { model: string; run: string; actor: string; why: string };
  leftoversSettled: { model: string; mended: readonly string[] };
  leftoversUnsettled: { model: string; environment: string; mended: readonly string[]; why: string };
  drift: Drift;
  /** `coolingUntil`: until when no other retraining may start; null: it was started */
  lastingDrift: Drift & { releaseId: string; coolingUntil: string | null };
  noDriftVerdict: { model: string; what: string; day: string; why: string; again: string };
  notEnoughFeedback: { model: string; why: string };
}
export type EventKind = keyof Events;

/** How an event is worded. Critical: the system cannot put it right by itself. Warning: somebody should act or look. Info: good to know. */
interface Wording<Facts> {
  severity: Notification['severity'];
  title: (facts: Facts) => string;
  text: (facts: Facts) => string;
  whatToDo?: (facts: Facts) => string | null;
}

const again = ({ again: command }: { again: string | null }): string =>
  command === null ? 'Correct the cause, then start it again.' : `Correct the cause, then \`${command}\`.`;

const findOut = ({ key, staleHours }: Drift): string =>
  staleHours === null
    ? `Find out what changed: sluice drift show ${key}. If the change is real and lasting: sluice release start --reason WHY`
    : `First check the scorer and the prediction log: the newest row is ${staleHours.toFixed(0)} hours old. The figures: sluice drift show ${key}`;

/** The one list of what people are notified of: a new notification is a line in `Events` and an entry here. */
const WORDINGS: { readonly [Kind in EventKind]: Wording<Events[Kind]> } = {
  approvalOpened: {
    severity: 'warning',
    title: ({ model, what }) => `${model}: ${what} waits for a decision`,
    text: ({ warning = null, question, table }) =>
      [warning ?? '', question, paddedTable(table)].filter((part) => part !== '').join('\n\n'),
    whatToDo: ({ approve, reject, deadline }) => `Decide by ${deadline}: \`${approve}\` or \`${reject}\`.`,
  },
  approvalReminder: {
    severity: 'warning',
    title: ({ model, what }) => `${model}: ${what} still waits for a decision`,
    text: ({ hoursLeft }) => `${hoursLeft.toFixed(1)} hours are left.`,
    whatToDo: ({ approve, reject }) => `\`${approve}\` or \`${reject}\``,
  },
  approvalDecided: {
    severity: 'info',
    title: ({ model, what, verdict, actor }) =>
      `${model}: ${what} was ${verdict === 'approve' ? 'approved' : 'rejected'} by ${actor}`,
    text: ({ reason }) => `Reason: ${reason}`,
  },
  approvalExpired: {
    severity: 'warning',
    title: ({ model, what }) => `${model}: nobody decided on ${what} in time`,
    text: () => 'It is not live, and what was live before still is.',
    whatToDo: () => 'If it is still wanted, start it again.',
  },
  wentLive: {
    severity: 'info',
    title: ({ model, what }) => `${model}: ${what} is live`,
    text: ({ version, generation, figures }) =>
      `Bundle ${version}, generation ${generation}.${figures === null ? '' : ` ${figures}`}`,
  },
  checksFailed: {
    severity: 'warning',
    title: ({ model, what }) => `${model}: ${what} did not pass its checks`,
    text: ({ why }) => `${why}. What is live stays live.`,
    whatToDo: again,
  },
  undone: {
    severity: 'critical',
    title: ({ model, what }) => `${model}: ${what} failed as it went live`,
    text: ({ why }) => why,
    whatToDo: again,
  },
  superseded: {
    severity: 'warning',
    title: ({ model, what }) => `${model}: ${what} was superseded and is not live`,
    text: ({ why }) => `${why}. What is live stays live.`,
    whatToDo: ({ again: command }) => (command === null ? null : `If it is still wanted: \`${command}\`.`),
  },
  runFailed: {
    severity: 'critical',
    title: ({ model, what }) => `${model}: ${what} failed`,
    text: ({ why }) => why,
    whatToDo: again,
  },
  undoFailed: {
    severity: 'critical',
    title: ({ what }) => `${what}: an undo failed`,
    text: ({ failures }) => `Manual action needed: ${failures}`,
  },
  undoIncomplete: {
    severity: 'critical',
    title: ({ model, former }) => `${model}: The undo to ${former} did not reach every replica`,
    text: ({ why }) => why,
  },
  nothingToRestore: {
    severity: 'critical',
    title: ({ model, version, why }) =>
      `${model}: The first bundle ${version} failed (${why}) and there is none to go back to`,
    text: () => 'Release another bundle; the scorer answers with this one until then.',
  },
  refreshJobFailed: {
    severity: 'warning',
    title: ({ model, job, day }) => `${model}: ${job} failed as of ${day}`,
    text: ({ error }) =>
      `${error ?? 'no reason given'}. The live artifact stays in use and becomes stale. Other jobs are unaffected.`,
    whatToDo: ({ again: command }) => `Correct the cause, then \`${command}\`, or wait for the next night.`,
  },
  refreshFailed: {
    severity: 'critical',
    title: ({ model, day }) => `${model}: the refresh as of ${day} failed`,
    text: ({ why }) => why,
    whatToDo: again,
  },
  nothingLive: {
    severity: 'warning',
    title: ({ model }) => `${model}: nothing is live yet`,
    text: () => 'Its scheduled runs (refreshes, drift, thresholds) have nothing to work on. This is reported once.',
    whatToDo: ({ model }) =>
      `\`sluice release start --model ${model} --reason WHY\`, or pause its schedules until there is a model.`,
  },
  lookupUnchanged: {
    severity: 'warning',
    title: ({ model, lookup, day }) => `${model}: ${lookup} is unchanged and fails its checks as of ${day}`,
    text: ({ failures }) => failures.join('; '),
    whatToDo: ({ lookup }) => `Check the source of ${lookup}. Nothing was published, and no decision is needed.`,
  },
  lookupsHeld: {
    severity: 'warning',
    title: ({ model, lookups, day }) => `${model}: ${lookups.join(', ')} held as of ${day}`,
    text: ({ failures }) => failures.join('. '),
    whatToDo: ({ deadline, approve }) =>
      `Decide by ${deadline}: \`${approve}\`, or reject. Without a decision they are not published.`,
  },
  lookupsSuperseded: {
    severity: 'warning',
    title: ({ model, lookups, day }) => `${model}: ${lookups.join(', ')} as of ${day} not published`,
    text: ({ why }) => why,
    whatToDo: ({ again: command }) => `\`${command}\`, or wait for the next night.`,
  },
  schedulePaused: {
    severity: 'critical',
    title: ({ model, schedule }) => `${model}: schedule ${schedule} was paused after a failure`,
    text: ({ run, why }) => `${run} ${why}.`,
    whatToDo: ({ model, schedule }) =>
      `Correct the cause, then \`sluice schedules resume ${schedule} --model ${model} --reason WHY\`.`,
  },
  scheduledRunFailed: {
    severity: 'warning',
    title: ({ model, schedule }) => `${model}: a run of schedule ${schedule} failed`,
    text: ({ run, why }) => `${run} ${why}. The schedule goes on.`,
    whatToDo: ({ model, schedule }) =>
      `Correct the cause, then \`sluice schedules backfill ${schedule} --model ${model} --from DAY --to DAY\`, or wait for its next time.`,
  },
  runsMissed: {
    severity: 'warning',
    title: ({ model, schedule }) => `${model}: schedule ${schedule} missed runs`,
    text: ({ skippedByOverlap, missedCatchup }) =>
      `Since it was created: ${skippedByOverlap} skipped because the previous run was still active, ${missedCatchup} missed because the server was down for too long.`,
    whatToDo: ({ model, schedule }) =>
      `\`sluice schedules list\` shows what is running; \`sluice schedules backfill ${schedule} --model ${model} --from DAY --to DAY\` runs the missed days.`,
  },
  replicaSilent: {
    severity: 'critical',
    title: ({ model, replicaId }) => `${model}: replica ${replicaId} does not answer`,
    text: ({ environment, address, version, why }) =>
      `It holds a lease in ${environment} (${address}) and does not answer${why === null ? '' : ` (${why})`}. The rollout of ${version} goes on without it, and it may serve an older bundle. Look at its log; restart it, or take it out of service.`,
  },
  decisionsRefused: {
    severity: 'warning',
    title: ({ model, actor }) => `${model}: decisions in the name of ${actor} are refused`,
    text: ({ run, actor, why }) =>
      `${run} has refused several (${why}). Further ones in this name are looked at every quarter of an hour only. If this was not ${actor}, find out who reaches Temporal.`,
  },
  leftoversSettled: {
    severity: 'warning',
    title: ({ model }) => `${model}: what a stopped run left behind was put right`,
    text: ({ mended }) => mended.join('. '),
  },
  leftoversUnsettled: {
    severity: 'critical',
    title: ({ model }) => `${model}: what a stopped run left behind could not be put right`,
    text: ({ mended, why, environment }) =>
      [
        ...mended,
        `${why.replace(/\.$/, '')}. Look at what is live in ${environment}; \`sluice rollback\` goes back to the last good bundle.`,
      ].join('. '),
  },
  drift: {
    severity: 'warning',
    title: ({ model, what, day }) => `${model}: ${what} as of ${day}`,
    text: ({ why }) => why,
    whatToDo: findOut,
  },
  lastingDrift: {
    severity: 'critical',
    title: ({ model, what, day }) => `${model}: ${what} as of ${day}`,
    text: ({ why, releaseId, coolingUntil }) =>
      coolingUntil === null
        ? `${why}\nRetraining ${releaseId} was started. It must pass the same gates and approval as any release.`
        : `${why}\nNo retraining was started: the last one was ${releaseId}, and the next may start from ${coolingUntil}.`,
    whatToDo: (facts) =>
      facts.staleHours === null && facts.coolingUntil === null
        ? `Watch the retraining: sluice release watch ${facts.releaseId}. The comparison: sluice drift show ${facts.key}`
        : findOut(facts),
  },
  noDriftVerdict: {
    severity: 'warning',
    title: ({ model, what, day }) => `${model}: ${what} as of ${day}`,
    text: ({ why }) => why,
    whatToDo: ({ again: command }) => `Correct the cause, then run it again: ${command}`,
  },
  notEnoughFeedback: {
    severity: 'info',
    title: ({ model }) => `${model}: not enough feedback for new thresholds`,
    text: ({ why }) => why,
    whatToDo: () =>
      'The live thresholds stay. Import labels (sluice labels import), or wait for them; then: sluice thresholds propose. This is reported once, until there is a proposal.',
  },
};

/**
 * An event as people read it.
 * @param key names the occasion: it is sent once, however often it is handed over
 * @param workflowId the run that it is about
 */
export function notificationOf<Kind extends EventKind>(
  kind: Kind,
  key: string,
  workflowId: string,
  facts: Events[Kind],
): Notification {
  const { severity, title, text, whatToDo } = WORDINGS[kind];
  const next = whatToDo?.(facts) ?? null;
  return {
    key,
    severity,
    title: title(facts),
    text: text(facts),
    ...(next === null ? {} : { whatToDo: next }),
    workflowId,
  };
}
