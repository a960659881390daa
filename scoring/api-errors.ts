import type { FastifyError } from 'fastify';
import { SluiceError, type FailureType } from '../platform/errors.js';
import type { ApiError } from './api-schemas.js';
import { RefusedInput } from './refused-input.js';

type ErrorType = ApiError['error']['type'];

/** What a caller is told: the status, and a body without anything of our insides. */
export interface Answer {
  status: number;
  error: ApiError['error'];
}

const OURS: Partial<Record<FailureType, [status: number, type: ErrorType]>> = {
  InvalidInput: [400, 'InvalidInput'],
  NotAuthorised: [401, 'NotAuthorised'],
  NotFound: [404, 'NotFound'],
  Conflict: [409, 'Conflict'],
  Superseded: [409, 'Conflict'],
  IntegrityError: [409, 'Conflict'],
  TooLarge: [409, 'Conflict'],
  TooManySignatures: [409, 'Conflict'],
  Unreachable: [503, 'Unavailable'],
};

function ofStatus(status: number): ErrorType {
  if (status === 401 || status === 403) return 'NotAuthorised';
  if (status === 404) return 'NotFound';
  if (status === 429) return 'TooManyRequests';
  if (status === 503) return 'Unavailable';
  return status < 500 ? 'InvalidInput' : 'Internal';
}

const INTERNAL: Answer = {
  status: 500,
  error: { type: 'Internal', message: 'an internal error; the log has it under this request id' },
};

/** The one place that turns errors into answers. */
export function toAnswer(error: unknown): Answer {
  if (error instanceof RefusedInput)
    return { status: 422, error: { type: 'InvalidInput', message: error.message, violations: error.violations } };
  // Errors of domain/ carry their type as their name.
  const name = error instanceof SluiceError ? error.type : (error as Error | undefined)?.name;
  const known = OURS[name as FailureType];
  if (known !== undefined) return { status: known[0], error: { type: known[1], message: (error as Error).message } };
  const { statusCode, message } = error as Partial<FastifyError>;
  if (statusCode !== undefined && (statusCode < 500 || statusCode === 503))
    return { status: statusCode, error: { type: ofStatus(statusCode), message: message ?? '' } };
  return INTERNAL;
}
