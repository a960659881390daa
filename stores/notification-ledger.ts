import type { Collection, Db, Document } from 'mongodb';
import type { Notification } from '../domain/notification/notification.js';
import { isDuplicateKey } from '../platform/mongo.js';
import { COLLECTIONS, openCollection } from './collections.js';

/** Longer than any channel takes, so that a claim older than this belongs to a process that has died. */
const LEASE_MS = 30_000;
const MINUTE_MS = 60_000;
/**
 * How long a notification rests that was sent and got no answer: at once the first time, then ever longer. A channel that delivers and then fails
 * would repeat it for as long as it is tried; one that is cut off for a day would never have it.
 */
const UNKNOWN_RESTS_MS = [0, MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS, 720 * MINUTE_MS];
/** So often it may have arrived; then it counts as delivered as well as it can be. */
export const MAX_UNKNOWN = UNKNOWN_RESTS_MS.length + 1;

/** `sending`: claimed. `unknown`: sent, and no answer came. `refused`: will never be delivered there. */
export type DeliveryState = 'sending' | 'told' | 'failed' | 'unknown' | 'refused';

/** One notification through one channel; the fields keep the names of older documents: `sink`, `notice`, `told`. */
export interface DeliveryRecord {
  _id: { sink: string; key: string };
  notice: Omit<Notification, 'key'>;
  state: DeliveryState;
  attempts: number;
  /** an attempt ended without an answer, so that it may have arrived */
  maybe_told: boolean;
  /** attempts that ended without an answer; absent in documents from before they were counted */
  unknowns?: number;
  first_at: Date;
  lease_until: Date;
  told_at: Date | null;
  why: string | null;
}

export type Claim =
  /** ours to deliver */
  | { outcome: 'claimed'; attempt: number; again: boolean; unknowns: number; firstAt: Date }
  | { outcome: 'told' | 'refused' }
  /** another attempt is at it */
  | { outcome: 'busy' };

/**
 * What was delivered where: `notifications` in Mongo, one document per key and channel. A delivery is claimed before and marked after, so that a retry goes
 * only where it is needed, and what a dead process left in between is known for what it is.
 */
export interface DeliveryLedger {
  claim(notification: Notification, channel: string): Promise<Claim>;
  mark(key: string, channel: string, attempt: number, state: DeliveryState, why: string | null): Promise<void>;
  /** For a channel that keeps its own record: `told`, once. */
  note(notification: Notification, channel: string): Promise<void>;
  /** Newest first. */
  list(since: Date, limit: number): Promise<DeliveryRecord[]>;
}

/** @param leaseMs only tests shorten it */
export function createDeliveryLedger(db: Db, leaseMs: number = LEASE_MS): DeliveryLedger {
  const records = openCollection(db, COLLECTIONS.notifications);
  // The server's clock decides whether a claim has lapsed: two workers' clocks may differ.
  const lease = { lease_until: inMs(leaseMs) };

  return {
    async claim(notification, channel) {
      const _id = { sink: channel, key: notification.key };
      const mine =
        (await insertOrNull(records, _id, notification, { state: 'sending', attempts: 1, told_at: null, ...lease })) ??
        (await takeOver(records, _id, lease));
      if (mine !== null)
        return {
          outcome: 'claimed',
          attempt: mine.attempts,
          again: mine.maybe_told,
          unknowns: mine.unknowns ?? 0,
          firstAt: mine.first_at,
        };
      const present = await records.findOne({ _id });
      if (present?.state === 'told' || present?.state === 'refused') return { outcome: present.state };
      return { outcome: 'busy' };
    },

    async mark(key, channel, attempt, state, why) {
      // Whoever has taken over since has the say.
      const unknowns: Document = { $ifNull: ['$unknowns', 0] };
      const rest: Document = { $ifNull: [{ $arrayElemAt: [UNKNOWN_RESTS_MS, unknowns] }, UNKNOWN_RESTS_MS.at(-1)] };
      await records.updateOne({ _id: { sink: channel, key }, state: 'sending', attempts: attempt }, [
        {
          $set: {
            state,
            why: { $literal: why },
            told_at: state === 'told' ? '$$NOW' : null,
            ...(state === 'unknown'
              ? {
                  unknowns: { $add: [unknowns, 1] },
                  lease_until: inMs(rest),
                }
              : {}),
          },
        },
      ]);
    },

    async note(notification, channel) {
      await insertOrNull(records, { sink: channel, key: notification.key }, notification, {
        state: 'told',
        attempts: 1,
        told_at: '$$NOW',
        ...lease,
      });
    },

    list: (since, limit) =>
      records
        .find({ first_at: { $gte: since } })
        .sort({ first_at: -1 })
        .limit(limit)
        .toArray(),
  };
}

type Records = Collection<DeliveryRecord>;

/** A time by the server's clock, from now. */
function inMs(amount: number | Document): Document {
  return { $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount } };
}

/** Takes over what failed, or what a dead process left. */
function takeOver(
  records: Records,
  _id: DeliveryRecord['_id'],
  lease: { lease_until: Document },
): Promise<DeliveryRecord | null> {
  const lapsed: Document = {
    $and: [{ $in: ['$state', ['sending', 'unknown']] }, { $lte: ['$lease_until', '$$NOW'] }],
  };
  return records.findOneAndUpdate(
    { _id, $expr: { $or: [{ $eq: ['$state', 'failed'] }, lapsed] } },
    [
      {
        $set: {
          maybe_told: { $or: ['$maybe_told', { $in: ['$state', ['sending', 'unknown']] }] },
          attempts: { $add: ['$attempts', 1] },
          state: 'sending',
          ...lease,
        },
      },
    ],
    { returnDocument: 'after' },
  );
}

/** Null where there is one already. */
async function insertOrNull(
  records: Records,
  _id: DeliveryRecord['_id'],
  { key: _key, ...notice }: Notification,
  fields: Document,
): Promise<DeliveryRecord | null> {
  try {
    // an update, since only there the server fills in its own time
    return await records.findOneAndUpdate(
      { _id, state: { $exists: false } },
      [{ $set: { notice: { $literal: notice }, maybe_told: false, first_at: '$$NOW', why: null, ...fields } }],
      { upsert: true, returnDocument: 'after' },
    );
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    throw error;
  }
}
