import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** An id that may stand in headers, logs and keys as it came. */
export const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The caller's, if it is a sane one. */
export function requestId({ headers: { 'x-request-id': given } }: { headers: IncomingHttpHeaders }): string {
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID();
}
