import type { Identity } from './identity.js';
import type { Decision } from '../../schemas/types.js';

/** What is to be decided, by when, and what an approver may change. */
export interface DecisionTerms {
  /** covers everything the person is shown */
  digest: string;
  /** from opening */
  deadlineSeconds: number;
  /** says what is wrong with an approver's edits, or null; without it there is nothing to edit. Synchronous: it decides in a validator. */
  checkEdits?: (edits: Record<string, unknown>) => string | null;
  /**
   * Says what is wrong with the gates that an approval overrides, or null; without it there is nothing to override. Synchronous as well.
   * @param edited what goes live is not as it was proposed, so which gates it misses is not known yet
   */
  checkOverrides?: (overrides: readonly string[], edited: boolean) => string | null;
}

export type ApprovalOutcome =
  | {
      verdict: 'approve' | 'reject';
      actor: string;
      reason: string;
      /** ISO */
      at: string;
      /** null: as proposed */
      edits: Record<string, unknown> | null;
      /** gates that it overrides; null: none */
      overrides: readonly string[] | null;
      /** of the actor; absent in histories of before it was asked */
      identity?: Identity;
    }
  | { verdict: 'expired' };

/** One decision that is waited for. Exactly one counts: the first that is taken while it is open, or that there was none. */
export class PendingDecision {
  private terms: DecisionTerms | null = null;
  private deadlineMs = 0;
  private decided: ApprovalOutcome | null = null;

  /** null: none so far */
  get outcome(): ApprovalOutcome | null {
    return this.decided;
  }

  /** @param nowMs milliseconds since the epoch, here and below. Returns the deadline in the same. */
  open(terms: DecisionTerms, nowMs: number): number {
    this.terms = terms;
    this.deadlineMs = nowMs + terms.deadlineSeconds * 1000;
    return this.deadlineMs;
  }

  /** Why a decision does not count now, in words for whoever sent it; null where it does. */
  refusal(decision: unknown, nowMs: number): string | null {
    if (this.terms === null) return 'this run is not waiting for a decision';
    if (this.decided !== null) return 'this has been decided already';
    if (nowMs >= this.deadlineMs) return 'the deadline of this decision has passed';
    return problemOf(decision, this.terms);
  }

  /** Takes a decision. Returns why it does not count, or null: then it is the outcome. @param identity of its actor, as far as it is known */
  take(decision: Decision, nowMs: number, identity?: Identity): string | null {
    const refusal = this.refusal(decision, nowMs);
    if (refusal !== null) return refusal;
    const { verdict, actor, reason, edits = null, overrides = null } = decision;
    const at = new Date(nowMs).toISOString();
    this.decided = { verdict, actor, reason, edits, overrides, at, ...(identity === undefined ? {} : { identity }) };
    return null;
  }

  /** Nobody may decide any more. Returns what was decided until now. */
  close(): ApprovalOutcome {
    this.decided ??= { verdict: 'expired' };
    return this.decided;
  }
}

/** A decision is kept for ever: in the run's history, in `decision_log` and in the audit log. As in schemas/decision.schema.json. */
const MAX_LENGTH = { decisionId: 200, actor: 200, reason: 2_000, digest: 64 };
const MAX_PROOF = 200;
const MAX_EDITS = 100_000;

const MAX_OVERRIDES = 100;

function problemOf(decision: unknown, { digest, checkEdits, checkOverrides }: DecisionTerms): string | null {
  if (typeof decision !== 'object' || decision === null)
    return 'the decision must be an object {decisionId, verdict, actor, reason, digest}';
  const fields = decision as Record<string, unknown>;
  for (const [name, longest] of Object.entries(MAX_LENGTH)) {
    const value = fields[name];
    if (typeof value !== 'string' || value.trim() === '') return `/${name} must be a non-empty text`;
    if (value.length > longest) return `/${name} has ${value.length} characters; at most ${longest} are kept`;
  }
  const { proof } = fields;
  if (proof !== undefined && (typeof proof !== 'string' || proof.length > MAX_PROOF))
    return `/proof must be a text of at most ${MAX_PROOF} characters`;
  if (fields['verdict'] !== 'approve' && fields['verdict'] !== 'reject')
    return '/verdict must be "approve" or "reject"';
  if (fields['digest'] !== digest) return `/digest is not that of the proposal shown now (${digest}): look at it again`;
  const { edits, overrides } = fields;
  return (
    editsProblem(edits, fields['verdict'], checkEdits) ??
    overridesProblem(overrides, fields['verdict'], edits !== undefined, checkOverrides)
  );
}

function editsProblem(edits: unknown, verdict: string, checkEdits: DecisionTerms['checkEdits']): string | null {
  if (edits === undefined) return null;
  if (typeof edits !== 'object' || edits === null || Array.isArray(edits)) return '/edits must be an object';
  if (JSON.stringify(edits).length > MAX_EDITS) return `/edits are longer than ${MAX_EDITS} characters`;
  if (verdict !== 'approve') return '/edits go with "approve" only';
  if (checkEdits === undefined) return '/edits: this is approved as it is shown, or rejected';
  const problem = checkEdits(edits as Record<string, unknown>);
  return problem === null ? null : `/edits${problem}`;
}

function overridesProblem(
  overrides: unknown,
  verdict: string,
  edited: boolean,
  checkOverrides: DecisionTerms['checkOverrides'],
): string | null {
  if (overrides !== undefined) {
    if (!Array.isArray(overrides) || overrides.length === 0 || !overrides.every((one) => typeof one === 'string'))
      return '/overrides must be a list of gates, or be left out';
    if (overrides.length > MAX_OVERRIDES) return `/overrides names more than ${MAX_OVERRIDES} gates`;
    if (new Set(overrides).size < overrides.length) return '/overrides names a gate twice';
    if (verdict !== 'approve') return '/overrides go with "approve" only';
    if (checkOverrides === undefined) return '/overrides: there is no gate to override here';
  }
  return verdict === 'approve' ? (checkOverrides?.(overrides ?? [], edited) ?? null) : null;
}
