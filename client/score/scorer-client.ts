import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../../platform/errors.js';
import type { Violation } from '../../platform/validate.js';
import type { ApiError, Health, Metadata, ScoreResponse } from '../../scoring/serving/api-schemas.js';

/** A live scorer's API, as any client of it. */
export interface ScorerClient {
  /** The answer, or what of the request was refused; 429 and 503 are waited out for a while. */
  score(transactions: unknown, requestId?: string): Promise<ScoreResponse | { violations: Violation[] }>;
  metadata(): Promise<Metadata>;
  health(): Promise<Health>;
}

const TIMEOUT_MS = 20_000;
/** a restart or a reload lasts seconds */
const MAX_TRIES = 30;
const MAX_WAIT_MS = 2_000;

/** @param address base URL */
export function createScorerClient(address: string, signal?: AbortSignal): ScorerClient {
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(new URL(path, address), {
        ...init,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      signal?.throwIfAborted();
      const { message, cause } = error as Error;
      throw new SluiceError(
        'Unreachable',
        `the scorer at ${address} cannot be reached (${reasonOf(cause, message)}): \`sluice status\` shows its address and whether it runs`,
      );
    }
  };
  const failure = async (response: Response): Promise<SluiceError> => {
    const { error } = (await response.json().catch(() => ({}))) as Partial<ApiError>;
    const retryable = response.status === 429 || response.status >= 500;
    return new SluiceError(
      retryable ? 'Unreachable' : 'Rejected',
      `the scorer at ${address} answered with ${response.status}: ${error?.message ?? response.statusText}`,
    );
  };
  return {
    async score(transactions, requestId) {
      const body = JSON.stringify(transactions);
      const headers = {
        'content-type': 'application/json',
        ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
      };
      for (let tries = 1; ; tries += 1) {
        const response = await call('/v1/score', { method: 'POST', headers, body });
        if (response.ok) return (await response.json()) as ScoreResponse;
        if (response.status === 422) {
          const { violations = [] } = ((await response.json()) as ApiError).error;
          if (violations.length > 0) return { violations };
        }
        if ((response.status !== 429 && response.status !== 503) || tries === MAX_TRIES) throw await failure(response);
        const afterMs = Number(response.headers.get('retry-after') ?? 1) * 1_000;
        await delay(Math.min(afterMs || MAX_WAIT_MS, MAX_WAIT_MS), undefined, signal === undefined ? {} : { signal });
      }
    },
    async metadata() {
      const response = await call('/v1/metadata');
      if (!response.ok) throw await failure(response);
      return (await response.json()) as Metadata;
    },
    // 503 says "not ready", in the same form.
    health: async () => (await (await call('/v1/health')).json()) as Health,
  };
}

/** undici names a port that no browser may call "bad port", which is no word for a person. */
function reasonOf(cause: unknown, message: string): string {
  if (!(cause instanceof Error)) return message;
  return cause.message === 'bad port' ? 'HTTP clients refuse this port' : cause.message;
}
