import { describe, expect, it } from 'vitest';
import { traceOf } from './trace.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is answered with the same trace and flags, and a span of our own', () => {
    const trace = traceOf(`00-${TRACE}-${PARENT}-01`);
    expect(trace?.traceId).toBe(TRACE);
    expect(trace?.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(trace?.traceparent).not.toContain(PARENT);
  });

  it('may be of a later version, with more behind it', () => {
    expect(traceOf(`01-${TRACE}-${PARENT}-00-more`)?.traceId).toBe(TRACE);
  });

  it.each([
    undefined,
    '',
    'x',
    [`00-${TRACE}-${PARENT}-01`],
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01\u0000`,
  ])('is passed over when it is %s', (header) => expect(traceOf(header)).toBeNull());
});
