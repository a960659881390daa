import type { Collection, Db } from 'mongodb';
import { coolDownEnd, inCoolDown } from '../../domain/retraining/rule.js';
import { SluiceError } from '../../platform/errors.js';
import { isDuplicateKey } from '../../platform/mongo.js';
import { COLLECTIONS, openCollection } from '../collections.js';
import type { ClaimAnswer, ClaimRequest, RetrainingClaim } from '../../domain/retraining/claim.js';

/** One per model, so that one conditional write decides between any number of days that claim at the same time. */
export interface RetrainingsDocument {
  _id: string;
  /** rises with every claim */
  revision: number;
  /** oldest first */
  claims: ClaimEntry[];
}
interface ClaimEntry {
  release_id: string;
  as_of: Date;
  reason: string;
  claimed_at: Date;
  started_at: Date | null;
}

/** Far more than a cool-down of a day would fill in a year. */
const CLAIMS_KEPT = 500;
const ROUNDS = 10;

/**
 * Claims the right to start a retraining. The newest claim decides: outside its cool-down a new one is made; inside, the newest one is
 * handed out while its release is not known to run (whoever claimed it was stopped before the start; starting it twice is one start, by
 * its id), and holds everyone else back once it does. A lost reply is safe: whoever asks again finds the claim of its own release id.
 * @throws SluiceError Unreachable after ten lost races in a row
 */
export async function claimRetraining(db: Db, input: ClaimRequest, cooldownDays: number): Promise<ClaimAnswer> {
  const { model, releaseId, asOf, reason, claimedAt } = input;
  const collection = openCollection(db, COLLECTIONS.retrainings);
  for (let round = 0; round < ROUNDS; round++) {
    const { revision, claims } = (await collection.findOne({ _id: model })) ?? { revision: 0, claims: [] };
    const answer = (entry: ClaimEntry, whenStarted: 'started' | 'cooling-down') => ({
      outcome: entry.started_at === null ? ('start' as const) : whenStarted,
      claim: toClaim(entry),
      until: coolDownEnd(entry.as_of.toISOString(), cooldownDays),
    });

    const mine = claims.find((one) => one.release_id === releaseId);
    if (mine !== undefined) return answer(mine, 'started');
    const newest = claims.reduce<ClaimEntry | null>(
      (best, one) => (best === null || one.as_of > best.as_of ? one : best),
      null,
    );
    if (newest !== null && inCoolDown(asOf, newest.as_of.toISOString(), cooldownDays))
      return answer(newest, 'cooling-down');

    const entry: ClaimEntry = {
      release_id: releaseId,
      as_of: new Date(asOf),
      reason,
      claimed_at: new Date(claimedAt),
      started_at: null,
    };
    if (await addIf(collection, model, revision, entry)) return answer(entry, 'started');
  }
  throw new SluiceError('Unreachable', `${ROUNDS} other claims on retraining ${model} came first, one after another.`);
}

/** Adds a claim if the document still has this revision; 0 means that there is none yet. Whether it was added. */
async function addIf(
  collection: Collection<RetrainingsDocument>,
  model: string,
  revision: number,
  entry: ClaimEntry,
): Promise<boolean> {
  if (revision > 0) {
    const change = { $inc: { revision: 1 }, $push: { claims: { $each: [entry], $slice: -CLAIMS_KEPT } } };
    return (await collection.updateOne({ _id: model, revision }, change)).matchedCount === 1;
  }
  try {
    await collection.insertOne({ _id: model, revision: 1, claims: [entry] });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** That a claim's release runs: from now on the claim holds others back. The first time stands. */
export async function markStarted(db: Db, model: string, releaseId: string, startedAt: string): Promise<void> {
  await openCollection(db, COLLECTIONS.retrainings).updateOne(
    { _id: model, claims: { $elemMatch: { release_id: releaseId, started_at: null } } },
    { $set: { 'claims.$.started_at': new Date(startedAt) } },
  );
}

function toClaim(entry: ClaimEntry): RetrainingClaim {
  return {
    releaseId: entry.release_id,
    asOf: entry.as_of.toISOString(),
    reason: entry.reason,
    claimedAt: entry.claimed_at.toISOString(),
    startedAt: entry.started_at?.toISOString() ?? null,
  };
}
