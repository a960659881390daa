import type { Fixing } from '../lookups/fixings.js';
import { isDay } from './calendar.js';

/**
 * A provider's answer that is not what it must be. `name` is the type in the closed list of failures: an answer that stops in the middle is
 * as good as none (`Unreachable`, another try may help); one that is whole and wrong stays wrong.
 */
export class FxAnswerError extends Error {
  constructor(
    override readonly name: 'InvalidInput' | 'Unreachable',
    message: string,
  ) {
    super(message);
  }
}

export function malformed(message: string): FxAnswerError {
  return new FxAnswerError('InvalidInput', message);
}

const CURRENCY = /^[A-Z]{3}$/;
/** plain decimals only: no sign, no exponent, no hexadecimal, nothing that `Number` would take besides */
const DECIMAL = /^\d{1,12}(?:\.\d{1,15})?$/;

/**
 * A rate as a provider writes it.
 * @throws FxAnswerError unless it is a positive decimal number
 */
export function readRate(text: string, where: string): number {
  const rate = DECIMAL.test(text) ? Number(text) : NaN;
  if (!(rate > 0)) throw malformed(`${where}: the rate ${quoted(text)} is not a positive decimal number`);
  return rate;
}

export function readCurrency(text: string, where: string): string {
  if (!CURRENCY.test(text)) throw malformed(`${where}: ${quoted(text)} is not a currency code (ISO 4217, as in USD)`);
  return text;
}

/**
 * A day as a provider writes it.
 * @param today UTC day of the clock on the wall: nobody knows tomorrow's rates
 */
export function readFixingDay(text: string, today: string): string {
  if (!isDay(text)) throw malformed(`${quoted(text)} is not a day (YYYY-MM-DD)`);
  if (text > today) throw malformed(`the fixing of ${text} lies in the future: today is ${today}`);
  return text;
}

/**
 * What every provider's fixings must hold, whatever the format: a rate of the currency that amounts are converted to.
 * @throws FxAnswerError
 */
export function expectQuoted(fixings: readonly Fixing[], currency: string): void {
  for (const { _id, base, rates } of fixings)
    if (base !== currency && rates[currency] === undefined)
      throw malformed(`the fixing of ${_id} does not quote ${currency}, the base currency of the model`);
}

/** A text of somebody else's for a message: short, on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
