import type { IncomingHttpHeaders } from 'node:http';
import { performance } from 'node:perf_hooks';
import { BY_THRESHOLD, FIGURES, type ScoredRows } from '../bundles/scored-rows.js';
import type { RouteGroup, ScorerMetrics } from '../metrics/scorer-metrics.js';
import type { RequestLog } from './request-log.js';
import type { SetFacts } from './set-facts.js';
import { traceOf } from './trace.js';

/** What is known of a request whichever way it takes. */
export interface Request {
  id: string;
  headers: IncomingHttpHeaders;
}

export type Headers = Record<string, string | number>;

/** Counts what was answered and tells it, off the request's way as far as that goes. */
export interface Observer {
  /** Adds the headers that every answer has. */
  headers(request: Request, to: Headers): Headers;
  /** A request was scored. */
  scored(request: Request, startedAtMs: number, scored: ScoredRows, facts: SetFacts, group: RouteGroup): void;
  /** A request for scores ended without any. */
  refused(request: Request, status: number, facts: SetFacts | null, group?: RouteGroup): void;
}

export interface ObserverDeps {
  metrics: ScorerMetrics;
  requestLog: RequestLog;
  /** shutting down: clients are asked to reconnect elsewhere */
  draining: () => boolean;
}

export function createObserver({ metrics, requestLog, draining }: ObserverDeps): Observer {
  const tell = (request: Request, rows: number, ms: number, status: number, facts: SetFacts | null): void => {
    if (!requestLog.takesNext()) return;
    const trace = traceOf(request.headers.traceparent);
    requestLog.write({
      request_id: request.id,
      ...(trace === null ? {} : { trace_id: trace.traceId }),
      entity_count: rows,
      duration_ms: Math.round(ms * 1000) / 1000,
      status,
      bundle_version: facts?.champion.by.versions.bundle_version ?? null,
      thresholds_sha256: facts?.champion.by.versions.thresholds_sha256 ?? null,
    });
  };

  return {
    headers(request, to) {
      to['x-request-id'] = request.id;
      to['x-content-type-options'] = 'nosniff';
      const { traceparent } = request.headers;
      const trace = traceparent === undefined ? null : traceOf(traceparent);
      if (trace !== null) to['traceparent'] = trace.traceparent;
      // Clients that keep connections open find another replica before this one is gone.
      if (draining()) to['connection'] = 'close';
      return to;
    },
    scored(request, startedAtMs, scored, facts, group) {
      const ms = performance.now() - startedAtMs;
      metrics.request(group, 200);
      metrics.scored(ms / 1000, scored.rows, countAlerts(scored, facts));
      tell(request, scored.rows, ms, 200, facts);
    },
    refused(request, status, facts, group = 'score') {
      metrics.request(group, status);
      tell(request, 0, 0, status, facts);
    },
  };
}

/** Alerts among the rows; each that a threshold decided is counted under that threshold. */
function countAlerts({ rows, figures, decidedBy, segments }: ScoredRows, { champion }: SetFacts): number {
  let alerts = 0;
  for (let row = 0; row < rows; row += 1) {
    if (figures[row * FIGURES + 4] !== 1) continue;
    alerts += 1;
    if (decidedBy[row] === BY_THRESHOLD) champion.hits.hit(segments[row] ?? null);
  }
  return alerts;
}

const GROUPS: Readonly<Record<string, RouteGroup>> = {
  '/v1/score': 'score',
  '/v1/feedback': 'feedback',
  '/v1/reload-artifacts': 'admin',
};

/** The group of a route by its address; what no route takes is `other`. */
export function groupOf(url: string | undefined): RouteGroup {
  if (url === undefined) return 'other';
  return GROUPS[url] ?? (url.endsWith('/infer') ? 'inference' : 'state');
}
