import type { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRequestLog, type RequestLine } from './request-log.js';

const line: RequestLine = {
  request_id: 'r-1',
  entity_count: 2,
  duration_ms: 0.5,
  status: 200,
  bundle_version: 'v',
  thresholds_sha256: 'd',
};

function written(share: number, level: string, requests: number): string[] {
  const lines: string[] = [];
  const destination = { write: (text: string) => lines.push(text), flushSync: () => undefined };
  const log = createRequestLog(share, level, destination as unknown as ReturnType<typeof pino.destination>);
  for (let request = 0; request < requests; request += 1) if (log.takesNext()) log.write(line);
  log.close();
  return lines;
}

describe('the log of requests', () => {
  it.each([
    [1, 10],
    [0.1, 10],
    [0.01, 1],
    [0, 0],
  ])('tells a share of %d, evenly: %i of 100', (share, atLeast) => {
    const lines = written(share, 'info', 100);
    expect(lines.length).toBeGreaterThanOrEqual(share === 1 ? 100 : atLeast - 1);
    expect(lines.length).toBeLessThanOrEqual(share === 1 ? 100 : atLeast);
  });

  it('is one JSON object a line', () => {
    expect(JSON.parse(written(1, 'info', 1)[0] ?? '')).toMatchObject({ level: 30, msg: 'request', ...line });
  });

  it('is silent below the level of the log', () => expect(written(1, 'warn', 5)).toEqual([]));
});
