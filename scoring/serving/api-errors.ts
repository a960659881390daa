import type { FastifyError } from 'fastify';
import { failureName, type FailureType } from '../../platform/errors.js';
import type { ApiError } from './api-schemas.js';
import type { InferenceError } from './inference-schemas.js';
import { RefusedInput } from '../bundles/refused-input.js';

export type ErrorType = ApiError['error']['type'];

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

/** What Fastify says of a body, with what would be taken. */
function ofBody(code: string | undefined, { bodyBytes }: { bodyBytes?: number }): string | null {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' && bodyBytes !== undefined)
    return `the body is larger than ${bodyBytes} bytes, the most that is taken (SCORER_BODY_BYTES)`;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'the content type must be application/json';
  return null;
}

/** An error in the form of the route that it is answered by: the Open Inference Protocol has one of its own. */
export function errorBody(
  error: Answer['error'],
  request_id: string,
  url: string | undefined,
): ApiError | InferenceError {
  if (url?.startsWith('/v2') !== true) return { error, request_id };
  const { message, ...more } = error;
  return { error: message, ...more, request_id };
}

/**
 * The one place that turns errors into answers.
 * @param limits the most that a body may have, for the message
 */
export function toAnswer(error: unknown, limits: { bodyBytes?: number } = {}): Answer {
  if (error instanceof RefusedInput)
    return { status: 422, error: { type: 'InvalidInput', message: error.message, violations: error.violations } };
  const known = OURS[failureName(error) as FailureType];
  if (known !== undefined) return { status: known[0], error: { type: known[1], message: (error as Error).message } };
  const { statusCode, message, code } = error as Partial<FastifyError>;
  if (statusCode !== undefined && (statusCode < 500 || statusCode === 503))
    return {
      status: statusCode,
      error: { type: ofStatus(statusCode), message: ofBody(code, limits) ?? message ?? '' },
    };
  return INTERNAL;
}
