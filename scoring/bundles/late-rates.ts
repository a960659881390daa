import { epochMs } from '../../domain/features/time.js';
import type { Notice } from '../../domain/features/refusal.js';
import type { FeatureRegistry, FxRates } from '../../schemas/types.js';
import { ageDays } from '../serving/metadata.js';

/** Long weekends are shorter: a booking so many days after the newest rate has no rate of its own time. */
const USUAL_DAYS = 7;

/**
 * What to say of a transaction that was booked long after the newest exchange rate: it is converted with that one. (One that is older than
 * every rate has the null policy's notice.)
 */
export function lateRatesNotice(
  { derived }: Pick<FeatureRegistry, 'derived'>,
  rates: Pick<FxRates, 'fixing_date'> | null,
): (transaction: unknown) => Notice[] {
  const fields = rates === null ? [] : derived.flatMap(({ op }) => (op.kind === 'convert' ? [op.at] : []));
  return (transaction) =>
    fields.flatMap((field) => {
      const { fixing_date } = rates as FxRates;
      const age = ageDays(fixing_date, epochMs((transaction as Record<string, unknown>)[field]));
      return age > USUAL_DAYS
        ? [
            {
              path: `/${field}`,
              message: `is ${age} days after the newest exchange rate (${fixing_date}); converted at that one`,
            },
          ]
        : [];
    });
}
