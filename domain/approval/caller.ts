/** Who asks for a change, and why: every workflow that changes something is given one. */
export interface Caller {
  /** a principal's name, or `schedule` */
  actor: string;
  /** one line, for the record */
  reason: string;
  /** shows possession of the actor's token (`decisionProof`); absent where the principal has none */
  proof?: string;
}
