import { epochMs } from '../../domain/features/time.js';
import type { Notice } from '../../domain/features/refusal.js';
import type { FeatureRegistry, FxRates } from '../../schemas/types.js';
import { ageDays } from '../../domain/fx/age.js';

/** Long weekends are shorter: a booking so many days after the newest rate has no rate of its own time. */
const USUAL_DAYS = 7;
const DAY_MS = 86_400_000;
const NONE: readonly Notice[] = [];

/**
 * What to say of a transaction that was booked long after the newest exchange rate: it is converted with that one. (One that is older than
 * every rate has the null policy's notice.)
 */
export function lateRatesNotice(
  { derived }: Pick<FeatureRegistry, 'derived'>,
  rates: Pick<FxRates, 'fixing_date'> | null,
): (transaction: unknown) => readonly Notice[] {
  const fields = derived.flatMap(({ op }) => (op.kind === 'convert' ? [op.at] : []));
  if (rates === null || fields.length === 0) return () => NONE;
  const { fixing_date } = rates;
  // As a text, since reading times costs: an offset moves a time by a day at most, and nearly every booking is long before this day.
  const lastUsualDay = new Date(Date.parse(`${fixing_date}T00:00:00Z`) + (USUAL_DAYS - 1) * DAY_MS)
    .toISOString()
    .slice(0, 10);
  const isUsual = (at: unknown): boolean => typeof at === 'string' && at.slice(0, 10) <= lastUsualDay;

  return (transaction) => {
    const late = fields.filter((field) => !isUsual((transaction as Record<string, unknown>)[field]));
    return late.length === 0 ? NONE : late.flatMap((field) => noticeOf(field, transaction, fixing_date));
  };
}

function noticeOf(field: string, transaction: unknown, fixingDate: string): Notice[] {
  const age = ageDays(fixingDate, epochMs((transaction as Record<string, unknown>)[field]));
  if (!(age > USUAL_DAYS)) return [];
  return [
    {
      path: `/${field}`,
      message: `is ${age} days after the newest exchange rate (${fixingDate}); converted at that one`,
    },
  ];
}
