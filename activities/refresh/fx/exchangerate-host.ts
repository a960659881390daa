import Type from 'typebox';
import { addDays, closedBecause, isDay, lastDayOver } from '../../../domain/fx/calendar.js';
import type { Fixing } from '../../../domain/lookups/fixings.js';
import { SluiceError } from '../../../platform/errors.js';
import { jsonReader, MAX_JSON_BYTES } from './json-answer.js';
import type { FxProvider } from './provider.js';

export const EXCHANGERATE_HOST_URL = 'https://api.exchangerate.host/';

/** the most that one question may span */
const MAX_DAYS = 365;

/** https://exchangerate.host/documentation, endpoint `timeframe`: quotes are named by both currencies, source first. */
const Answer = Type.Union([
  Type.Object({
    success: Type.Literal(true),
    source: Type.String({ pattern: '^[A-Z]{3}$' }),
    quotes: Type.Record(
      Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
      Type.Record(Type.String({ pattern: '^[A-Z]{6}$' }), Type.Number({ exclusiveMinimum: 0 }), {
        additionalProperties: false,
        minProperties: 1,
      }),
      { additionalProperties: false },
    ),
  }),
  Type.Object({
    success: Type.Literal(false),
    error: Type.Object({ code: Type.Integer(), info: Type.Optional(Type.String()) }),
  }),
]);

/**
 * exchangerate.host, end-of-day rates. It has rates for every day; only those of business days that are over are taken, so that a source can
 * be changed for another and what is stored is final.
 */
export function createExchangerateHostProvider(options: { url: string; apiKey: string; now: () => Date }): FxProvider {
  const { apiKey, now } = options;
  const name = 'exchangerate.host';
  const url = new URL('timeframe', options.url);
  const read = jsonReader(Answer);
  return {
    name,
    async fixings({ from, to, signal }) {
      const last = lastDayOver(to, now());
      const fixings: Fixing[] = [];
      for (let start = from; start <= last; start = addDays(start, MAX_DAYS)) {
        const latest = addDays(start, MAX_DAYS - 1);
        const end = latest < last ? latest : last;
        // the service takes its key in the query only
        const query = { access_key: apiKey, start_date: start, end_date: end };
        const answer = await read({
          system: `the FX source ${name}`,
          url,
          query,
          secret: apiKey,
          maxBytes: MAX_JSON_BYTES,
          signal,
        });
        if (!answer.success) throw refused(answer.error, apiKey);
        for (const [day, quotes] of Object.entries(answer.quotes)) {
          if (!isDay(day) || day < start || day > end)
            throw wrong(`it was asked for ${start} to ${end} and gave ${day}`);
          if (closedBecause(day) === null) fixings.push(fixingOf(day, answer.source, quotes));
        }
      }
      return fixings.sort((a, b) => (a._id < b._id ? -1 : 1));
    },
  };

  function wrong(message: string): SluiceError {
    return new SluiceError('InvalidInput', `the FX source ${name} (${url.origin}${url.pathname}): ${message}.`);
  }

  function fixingOf(day: string, source: string, quotes: Record<string, number>): Fixing {
    const rates: Record<string, number> = {};
    for (const [pair, rate] of Object.entries(quotes)) {
      if (!pair.startsWith(source)) throw wrong(`${day}: ${pair} is not quoted against ${source}`);
      const currency = pair.slice(3);
      if (currency !== source) rates[currency] = rate;
    }
    if (Object.keys(rates).length === 0) throw wrong(`${day} has no rates`);
    return { _id: day, base: source, rates };
  }
}

function refused({ code, info = '' }: { code: number; info?: string | undefined }, apiKey: string): SluiceError {
  const said = info.replaceAll(apiKey, '[secret]').slice(0, 200);
  return new SluiceError(
    'Rejected',
    `the FX source exchangerate.host refused (${code}): ${said} Check FX_API_KEY and the plan it belongs to. Nothing was stored, and the live rates stay.`,
  );
}
