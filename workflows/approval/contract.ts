/** The Update by which a person decides; its argument is a `Decision`. */
export const DECIDE_UPDATE = 'decide';

/** What a run that waits for a person answers to its `progress` query, under `approval`; null while nothing waits. */
export interface PendingApproval<Proposal> {
  /** covers everything the person is shown; a decision must name it */
  digest: string;
  /** ISO */
  deadline: string;
  proposal: Proposal;
}
