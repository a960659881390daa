import { MongoServerError, type Db } from 'mongodb';
import type { Authorisation } from '../domain/approval/authorise.js';
import { canonicalJson, sha256Hex } from '../domain/bundle/digest.js';

export const DECISION_COLLECTION = 'decision_log';
const DUPLICATE_KEY = 11000;

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
}

type DecisionDocument = DecisionQuestion & Authorisation & { _id: string; at: Date };

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
  const collection = db.collection<DecisionDocument>(DECISION_COLLECTION, {
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
  });
  const recorded = async (_id: string): Promise<Authorisation | null> => {
    const found = await collection.findOne({ _id });
    return found === null ? null : { allowed: found.allowed, why: found.why };
  };

  return {
    async once(question, proof, answer) {
      const _id = sha256Hex(canonicalJson({ ...question, proof: proof ?? null }));
      const before = await recorded(_id);
      if (before !== null) return before;
      const { allowed, why } = await answer();
      try {
        await collection.insertOne({ _id, ...question, allowed, why, at: new Date() });
        return { allowed, why };
      } catch (error) {
        if (!(error instanceof MongoServerError && error.code === DUPLICATE_KEY)) throw error;
        return (await recorded(_id)) ?? { allowed, why };
      }
    },
  };
}
