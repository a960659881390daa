import type { Db } from 'mongodb';
import type { Authorisation } from '../domain/approval/authorise.js';
import type { OverrideChange } from '../domain/release/overrides.js';
import { canonicalJson, sha256Hex } from '../domain/bundle/digest.js';
import { isDuplicateKey } from '../platform/mongo.js';
import { COLLECTIONS, openCollection } from './collections.js';

export interface DecisionQuestion {
  model: string;
  workflowId: string;
  /** of the decision or operation, made by whoever sent it */
  id: string;
  /** `approve`, `reject`, or what an operator wants to do */
  subject: string;
  actor: string;
  reason: string;
  /** of the proposal that was shown; null where nothing was */
  digest: string | null;
  requester: string;
  /** what an approver changed in the proposal; absent: nothing */
  edits?: Record<string, unknown>;
  /** gates of the model's releases that an approver let a proposal miss; absent: none */
  overriddenGates?: readonly string[];
  /** where a request departs from the model's spec; absent: nowhere */
  overrides?: readonly OverrideChange[];
}

/** `proven` is absent in answers of before 2026-11-24. */
export type DecisionDocument = DecisionQuestion &
  Omit<Authorisation, 'proven'> &
  Partial<Pick<Authorisation, 'proven'>> & { _id: string; at: Date };

/** Who wanted to decide what, when, why, and whether they were let: refusals too. */
export interface DecisionLog {
  /**
   * Answers a question and records the answer before giving it. The same question asked again (a retry) gets the recorded answer, so that
   * log and workflow never disagree; another question under the same id is a new one, and so is the same question with another proof.
   * @param proof is not kept
   */
  once(
    question: DecisionQuestion,
    proof: string | undefined,
    answer: () => Promise<Authorisation>,
  ): Promise<Authorisation>;
}

export function createDecisionLog(db: Db): DecisionLog {
  const collection = openCollection(db, COLLECTIONS.decisionLog);
  const recorded = async (_id: string): Promise<Authorisation | null> => {
    const found = await collection.findOne({ _id });
    return found === null ? null : { allowed: found.allowed, why: found.why, proven: found.proven ?? false };
  };

  return {
    async once(question, proof, answer) {
      const _id = sha256Hex(canonicalJson({ ...question, proof: proof ?? null }));
      const before = await recorded(_id);
      if (before !== null) return before;
      const given = await answer();
      try {
        await collection.insertOne({ _id, ...question, ...given, at: new Date() });
        return given;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return (await recorded(_id)) ?? given;
      }
    },
  };
}
