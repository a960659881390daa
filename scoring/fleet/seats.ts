import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createBackoff } from '../../platform/backoff.js';
import { SluiceError } from '../../platform/errors.js';
import type { SetOrder } from '../traffic/orders.js';
import type { Member } from './member.js';

/** A seat in the fleet: the process that has it now, or the one that will. */
export interface Seat {
  member: Promise<Place>;
}

/** A serving process, and what it was told. */
export interface Place extends Member {
  served: SetOrder | null;
  prepared: SetOrder | null;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** a set that ends so many processes one after the other is the cause */
const MOST_ENDS = 3;
/** the end of a process is known so long after its last message, at most */
const END_IS_KNOWN_MS = 1_000;

export interface SeatOptions {
  count: number;
  /** a process that serves what is served now */
  open: () => Promise<Place>;
  /** from here on nobody is replaced */
  stopping: () => boolean;
  log: Logger;
}

/** Fills the seats; a process that ends is replaced, for as long as it takes. */
export function takeSeats({ count, open, stopping, log }: SeatOptions): Promise<Seat[]> {
  const keep = (seat: Seat, place: Place): void => {
    void place.ended.then(() => {
      if (stopping()) return;
      log.error('a serving process ended; starting another');
      seat.member = replace(seat);
      seat.member.catch(() => undefined);
    });
  };
  const replace = async (seat: Seat): Promise<Place> => {
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (!stopping()) {
      try {
        const place = await open();
        log.info('the serving process is replaced');
        keep(seat, place);
        return place;
      } catch (error) {
        const retryInMs = backoff.next();
        log.error({ err: error, retryInMs }, 'a serving process could not be started');
        await delay(retryInMs);
      }
    }
    throw new SluiceError('Unreachable', 'this replica is shutting down');
  };
  return Promise.all(
    Array.from({ length: count }, async (): Promise<Seat> => {
      const place = await open();
      const seat: Seat = { member: Promise.resolve(place) };
      keep(seat, place);
      return seat;
    }),
  );
}

/**
 * Work in every process; where one ends under it, in its successor. The work must be done already, or be done again, there. Over when it
 * is over in each, also where it failed in one: what is undone then must be nowhere under way.
 */
export async function inEverySeat(seats: readonly Seat[], work: (place: Place) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(seats.map((seat) => inSeat(seat, work)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function inSeat(seat: Seat, work: (place: Place) => Promise<void>): Promise<void> {
  for (let ends = 0; ends < MOST_ENDS; ends += 1) {
    const place = await seat.member;
    let over = false;
    void place.ended.then(() => (over = true));
    try {
      return await work(place);
    } catch (error) {
      // A refusal is the answer of a process that lives.
      if (error instanceof SluiceError && error.type !== 'Unreachable') throw error;
      await Promise.race([place.ended, delay(END_IS_KNOWN_MS)]);
      if (!over) throw error;
    }
  }
  throw new SluiceError('Unreachable', `a serving process ended ${MOST_ENDS} times under one order`);
}

/** null where the process ends, or has ended, before it answers */
export async function ask<T>({ member }: Seat, call: (calls: Member['calls']) => Promise<T>): Promise<T | null> {
  const place = await member.catch(() => null);
  if (place === null) return null;
  return Promise.race([call(place.calls).catch(() => null), place.ended.then(() => null)]);
}
