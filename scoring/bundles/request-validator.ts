import type { ErrorObject } from 'ajv';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { compileJsonSchema } from '../../platform/json-schema.js';
import { toViolations, type Violation } from '../../platform/validate.js';

/** At most this many violations are told: a list of a thousand wrong rows needs no thousand lines. */
export const MAX_VIOLATIONS = 100;

/** One transaction's violations of the bundle's request schema; empty when it is valid. Types are never coerced. */
export type RequestValidator = (transaction: unknown) => Violation[];

export function compileRequestValidator(requestSchema: object): RequestValidator {
  const check = compileJsonSchema(requestSchema, BUNDLE_FILE.requestSchema);
  return (transaction) =>
    check(transaction) ? [] : (check.errors ?? []).slice(0, MAX_VIOLATIONS).flatMap(violationOf);
}

/** A missing field is told by its own path, not by that of the object that lacks it. */
function violationOf(error: ErrorObject): Violation[] {
  if (error.keyword !== 'required') return toViolations([error]);
  return [{ path: `${error.instancePath}/${String(error.params['missingProperty'])}`, message: 'is missing' }];
}
