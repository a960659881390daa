import { randomBytes } from 'node:crypto';

/** A caller's trace, as W3C Trace Context hands it on. */
export interface Trace {
  /** 32 hexadecimal digits, the same along the whole way */
  traceId: string;
  /** to answer with: the same trace, with a span of this scorer's own */
  traceparent: string;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NONE = /^0+$/;

/**
 * @param header `traceparent` as it came
 * @returns null without one, and for one that is not valid: a broken header must not break a request
 */
export function traceOf(header: string | string[] | undefined): Trace | null {
  if (typeof header !== 'string') return null;
  const [, traceId, parentId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || NONE.test(traceId) || NONE.test(parentId as string) || header.startsWith('ff'))
    return null;
  // Version 00 has nothing behind the flags; later ones may.
  if (header.startsWith('00') && more !== undefined) return null;
  return { traceId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}` };
}
