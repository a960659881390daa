import Type from 'typebox';
import { businessDays, lastDayOver } from '../../../domain/fx/calendar.js';
import type { Fixing } from '../../../domain/lookups/fixings.js';
import { SluiceError } from '../../../platform/errors.js';
import { jsonReader, MAX_JSON_BYTES } from './json-answer.js';
import type { FxProvider } from './provider.js';

export const OPEN_EXCHANGE_RATES_URL = 'https://openexchangerates.org/api/';

/** A day's rates carry the time of the last of them; one that lies further off is of another day. */
const MAX_OFF_MS = 36 * 3_600_000;

/** https://docs.openexchangerates.org/reference/historical-json */
const Answer = Type.Object({
  timestamp: Type.Integer({ exclusiveMinimum: 0 }),
  base: Type.String({ pattern: '^[A-Z]{3}$' }),
  rates: Type.Record(Type.String({ pattern: '^[A-Z]{3}$' }), Type.Number({ exclusiveMinimum: 0 }), {
    additionalProperties: false,
    minProperties: 2,
  }),
});

/**
 * Open Exchange Rates, a question a day. Only business days that are over are asked for: today's figures still move, and a stored fixing
 * stays for good.
 */
export function createOpenExchangeRatesProvider(options: { url: string; apiKey: string; now: () => Date }): FxProvider {
  const { apiKey, now } = options;
  const name = 'openexchangerates';
  const read = jsonReader(Answer);
  return {
    name,
    async fixings({ from, to, signal }) {
      const fixings: Fixing[] = [];
      for (const day of businessDays(from, lastDayOver(to, now()))) {
        const url = new URL(`historical/${day}.json`, options.url);
        const { timestamp, base, rates } = await read({
          system: `the FX source ${name}`,
          url,
          headers: { authorization: `Token ${apiKey}` },
          secret: apiKey,
          maxBytes: MAX_JSON_BYTES,
          signal,
        });
        if (Math.abs(timestamp * 1000 - Date.parse(`${day}T12:00:00Z`)) > MAX_OFF_MS)
          throw new SluiceError(
            'InvalidInput',
            `the FX source ${name} (${url.origin}${url.pathname}): its answer for ${day} is of another time (${timestamp}). Nothing was stored, and the live rates stay.`,
          );
        const { [base]: _own, ...others } = rates;
        fixings.push({ _id: day, base, rates: others });
      }
      return fixings;
    },
  };
}
