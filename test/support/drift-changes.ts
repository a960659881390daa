import { createHash } from 'node:crypto';
import { DAY_MS, dayOf } from '../../domain/drift/calendar.js';
import type { Fixing } from '../../domain/lookups/fixings.js';
import type { WorldRow } from './drift-world.js';

/** How a world changes; the same row changes the same way every time. */
export type Change = 'dearer' | 'moved fraud' | 'new type' | 'new currency';
export const CHANGES: readonly Change[] = ['dearer', 'moved fraud', 'new type', 'new currency'];

const NEW_CURRENCY = 'NOK';
const SHARE = 0.05;

/**
 * - dearer: legitimate amounts × 1.18
 * - moved fraud: half of it happens at 9 to 17 h, for an eighth of its amount
 * - new type: 5 % of the transactions are of a type that nobody knows
 * - new currency: 5 % of the customers pay in one that was never seen, what things cost stays as it was
 */
export function changed(
  rows: readonly WorldRow[],
  change: Change,
  sinceMs: number,
  fixings: readonly Fixing[],
): WorldRow[] {
  const of = changes(fixings)[change];
  return rows.map((row) => (row.at < sinceMs ? row : of(row))).sort((a, b) => a.at - b.at);
}

function changes(fixings: readonly Fixing[]): Record<Change, (row: WorldRow) => WorldRow> {
  const oldestFirst = [...fixings].sort((a, b) => (a._id < b._id ? -1 : 1));
  const fixingBefore = (at: number): Fixing | undefined => {
    const day = new Date(at).toISOString().slice(0, 10);
    return oldestFirst.findLast(({ _id }) => _id < day) ?? oldestFirst[0];
  };
  return {
    dearer: (row) => (row.isFraud ? row : withAmount(row, Number(row.transaction['amount']) * 1.18)),
    'moved fraud': (row) => {
      const id = String(row.transaction['transaction_id']);
      if (!row.isFraud || chance(id) >= 0.5) return row;
      const at = dayOf(row.at) * DAY_MS + Math.floor((9 + 8 * chance(`${id} hour`)) * 3_600_000);
      const moved = withAmount(row, Number(row.transaction['amount']) / 8);
      return { ...moved, at, transaction: { ...moved.transaction, booked_at: new Date(at).toISOString() } };
    },
    'new type': (row) =>
      chance(`${row.transaction['transaction_id']} type`) < SHARE
        ? { ...row, transaction: { ...row.transaction, operation_type: 'CRYPTO_EXCHANGE' } }
        : row,
    'new currency': (row) => {
      if (chance(`${row.transaction['customer_id']} currency`) >= SHARE) return row;
      const fixing = fixingBefore(row.at);
      const rate = (currency: string): number => (currency === fixing?.base ? 1 : (fixing?.rates[currency] ?? NaN));
      const amount =
        (Number(row.transaction['amount']) / rate(String(row.transaction['currency']))) * rate(NEW_CURRENCY);
      const { transaction, ...rest } = withAmount(row, amount);
      return { ...rest, transaction: { ...transaction, currency: NEW_CURRENCY } };
    },
  };
}

function withAmount(row: WorldRow, amount: number): WorldRow {
  return { ...row, transaction: { ...row.transaction, amount: Math.round(amount * 100) / 100 } };
}

/** A number from 0 to 1 that hangs on the text alone. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
