import { createAjv, toViolations, type Violation } from '../platform/validate.js';

/** At most this many violations are told: a list of a thousand wrong rows needs no thousand lines. */
export const MAX_VIOLATIONS = 100;

/** One transaction's violations of the bundle's request schema; empty when it is valid. Types are never coerced. */
export type RequestValidator = (transaction: unknown) => Violation[];

export function compileRequestValidator(requestSchema: Record<string, unknown>): RequestValidator {
  const check = createAjv().compile(requestSchema);
  return (transaction) => (check(transaction) ? [] : toViolations(check.errors).slice(0, MAX_VIOLATIONS));
}
