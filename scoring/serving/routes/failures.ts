import { ApiError } from '../api-schemas.js';

/** The errors that a route may answer with, for its schema. */
export function failures(...statuses: number[]): Record<number, typeof ApiError> {
  return Object.fromEntries(statuses.map((status) => [status, ApiError]));
}
