/**
 * Every `patched()` id of the workflows. A run that began before a change has no marker of it in its history, and must go on issuing the
 * commands that its history holds; a run that begins after it records the marker and takes the new way. How to add one, and how to take one
 * away, is in workflows/README.md, "Changing a workflow that runs".
 */
export const PATCHES = {
  /**
   * Since 2026-11-24, decision 0017.
   * What: a run upserts `SluiceHolds` whenever it comes to need another bundle; rollouts, rollbacks and prunes upsert `SluiceModel` and
   * `SluiceStatus` as all other runs do. No earlier history has those commands.
   * Why: what a run needs was found by a regular expression over its encoded input, which an encrypted payload would have blinded.
   * Where: asked once, in the constructor of `Run`; a run that began without it never says what it holds.
   * May go when no run that began before is open, and no frozen history without the marker is kept; with it go the option `upsertedBefore`
   * of `Run`, and the clause for runs without `SluiceModel` in stores/retention/open-runs.ts.
   */
  runsSayWhatTheyHold: 'runs-say-what-they-hold',
  /**
   * Since 2026-11-24.
   * What: a refresh whose bundle lost to other changes ends as Superseded with a warning; before: RolloutFailed and a critical notification.
   * Why: a release and thresholds said Superseded of the same outcome.
   * May go when no refresh that began before is open, and no frozen history without the marker is kept.
   */
  refreshSuperseded: 'refresh-superseded',
  /**
   * Since 2026-11-24.
   * What: a rollback to a named bundle is composed again where another change went live first; before: it failed.
   * Why: every other publisher tries again, and the named bundle is wanted whatever is live.
   * May go when no rollback that began before is open, and no frozen history without the marker is kept.
   */
  rollbackComposesAgain: 'rollback-composes-again',
  /**
   * Since 2026-11-24, decision 0024.
   * What: while a rollout waits for replicas it looks at their leases every second, and asks them side by side; before: it waited for each
   * answer in turn and looked at the leases only to learn who is alive.
   * Why: one replica that could not be asked, or a forged lease, undid an emergency rollback.
   * Where: asked once, in `replicasOf` of workflows/rolloutBundle.
   * May go when no rollout that began before is open, and no frozen history without the marker is kept; with it goes `replica` in proxies.ts.
   */
  leaseIsReceipt: 'lease-is-receipt',
  /**
   * Since 2026-11-24, decision 0025.
   * What: where an approval opens, the principals' names are read; unknown names are refused by the Update's validator.
   * Why: 500 decisions by an unknown name wrote 3,200 events, and after some 2,000 the run could not be decided any more.
   * Where: asked once an approval, in `ApprovalGate.decide`.
   * May go when no run that began before waits for a decision, and no frozen history without the marker is kept.
   */
  unknownNamesRefused: 'unknown-names-refused',
  /**
   * Since 2026-11-24, decision 0027.
   * What: before a nightly refresh, and before a bundle that is no rollback is composed, a child `settleModel` puts right what a terminated
   * run left behind.
   * Why: aliases, stages and a live bundle that nobody had smoke-tested stayed as they were, in silence.
   * Where: asked in `settleFirst` of workflows/settleModel.
   * May go when no refresh, release or recalibration that began before is open, and no frozen history without the marker is kept.
   */
  settlesFirst: 'settles-first',
  /**
   * Since 2026-11-24, decision 0020.
   * What: a release, a refresh and a recalibration that a person starts first ask whether that person may (`authorizeRequest`); a release is
   * given its spec with its overrides applied, by `loadModelSpec`. Before: anybody could start them, with any gates.
   * Where: in workflows/common/request.ts, and once more in workflows/releaseModel/admit.ts for the overrides.
   * May go when no such run that began before is open, and no frozen history without the marker is kept; with it goes `applyOverrides`.
   */
  requestsAreAuthorised: 'requests-are-authorised',
  /**
   * Since 2026-11-24, decision 0020.
   * What: a rollout that no publisher started is refused; before: it went live under any name.
   * Where: the marker is recorded by such a rollout only.
   * May go when no frozen history without the marker is kept.
   */
  rolloutsNeedAPublisher: 'rollouts-need-a-publisher',
  /**
   * Since 2026-11-24, docs/notifications.md.
   * What: a notification is handed to a child `sendNotification` that outlives the run; before: an activity `notify` of the run, which in
   * places waited for it. Runs also tell of more: approvals, releases, failures, supersession. No earlier history has those commands.
   * Why: nobody was told that a release waits for them, and a mail server that was down held up the run.
   * Where: asked once a run, in the constructor of `Run`, and by `launchScheduled` at its start.
   * May go when no run that began before is open, and no frozen history without the marker is kept; with it goes `Run.notifyAsBefore`.
   */
  notificationsOfTheirOwn: 'notifications-of-their-own',
  /**
   * Since 2026-11-24, docs/notifications.md.
   * What: what was left of notifications sent by an activity `notify` is handed over as well: of drift, of too little feedback, of refused
   * decisions, of a silent replica, of what was settled. A drift run also tells that it failed.
   * Why: a mail server that was down held up drift runs and proposals for four hours, and was never told of a silent replica.
   * Where: asked by `handOverSince` of workflows/common/notify.ts, and where a drift run fails.
   * May go when no run that began before is open, and no frozen history without the marker is kept; with it go `passingNotification` in proxies.ts
   * and the activity `notify`.
   */
  everyNotificationHandedOver: 'every-notification-handed-over',
  /**
   * Since 2026-11-24, decision 0029.
   * What: a refresh and a recalibration that find nothing live end as NothingLive, told once; before: they failed.
   * Why: before the first release every night was a critical notification, and `thresholds-weekly` paused itself.
   * Where: asked only where nothing is live. Drift runs ended well before, and tell it under the same key since.
   * May go when no frozen history without the marker is kept.
   */
  nothingLiveIsAnOutcome: 'nothing-live-is-an-outcome',
  /**
   * Since 2026-11-24, decision 0029.
   * What: a scheduled run that ends by its own rules (missed gate, no data, cancelled) is an outcome of the launcher; before: it failed, and
   * the schedule paused itself. A run of the same day that somebody else started and that failed, or that settled nothing, is run again.
   * Where: asked by `launchScheduled` only where a run ended so.
   * May go when no frozen history of `launchScheduled` without the marker is kept.
   */
  schedulesGoOn: 'schedules-go-on',
  /**
   * Since 2026-11-24, decision 0029.
   * What: a night of which every job failed is told once, naming the jobs; one whose rollout failed is told although a job had failed too.
   * Before: one notification a job, and none of the rollout.
   * Where: asked only where a night failed and one of its jobs had.
   * May go when no refresh that began before is open, and no frozen history without the marker is kept.
   */
  oneNotificationANight: 'one-notification-a-night',
  /**
   * Since 2026-11-24, decision 0028.
   * What: proposed thresholds carry what the gates of the model's releases say of them, the digest covers that, and an approval must override
   * each gate that they miss; figures of an approver's edits are computed before the decision counts. Before: gates were shown beside them.
   * Why: a recalibration could do what a release may not, by a person who was told so in passing.
   * Where: asked once, where the approval of a recalibration opens.
   * May go when no recalibration that began before waits for a decision, and no frozen history without the marker is kept.
   */
  missedGatesAreOverridden: 'missed-gates-are-overridden',
  /**
   * Since 2026-11-24.
   * What: before the approval of a release opens, `provenance` reads what candidate and champion are made of; it is part of the proposal.
   * Why: an approver saw figures, and not what had changed in data and parameters.
   * Where: asked once, where the approval of a release opens.
   * May go when no release that began before waits for a decision, and no frozen history without the marker is kept.
   */
  proposalsSayWhatChanged: 'proposals-say-what-changed',
} as const;
