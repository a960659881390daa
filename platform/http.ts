import axios, { isAxiosError, type AxiosInstance } from 'axios';
import { withoutCredentials } from './credentials.js';
import { isNetworkError, isRetryableStatus, saysDiskIsFull, SluiceError } from './errors.js';

export interface HttpOptions {
  /** what the messages call the other side: "MLflow" */
  system: string;
  baseUrl: string;
  /** the setting that holds the address, so that a message can say what to check */
  setting: string;
  timeoutMs: number;
  headers?: Record<string, string>;
}

/**
 * An HTTP client that fails with `SluiceError`s naming the address and what to check. It never retries: whoever calls it owns that.
 * 404 is NotFound; other refusals are Rejected; no answer, 408, 429 and 5xx are Unreachable.
 */
export function createHttp(options: HttpOptions): AxiosInstance {
  const { baseUrl, timeoutMs, headers = {} } = options;
  const http = axios.create({
    baseURL: baseUrl.replace(/\/+$/, ''),
    timeout: timeoutMs,
    headers,
    // A proxy set for the outside world cannot reach this machine's own servers.
    ...(isLoopback(baseUrl) ? { proxy: false as const } : {}),
  });
  http.interceptors.response.use(undefined, (error: unknown) => {
    throw toSluiceError(error, options);
  });
  return http;
}

/** The axios error is not kept as a cause: it carries the request with its headers. */
function toSluiceError(error: unknown, { system, baseUrl, setting }: HttpOptions): unknown {
  if (!isAxiosError(error)) return error;
  const where = `${system} at ${withoutCredentials(baseUrl)}`;
  const what = `${(error.config?.method ?? 'get').toUpperCase()} ${error.config?.url ?? ''}`;
  const { response } = error;
  if (response === undefined) {
    if (!isNetworkError(error) && error.code !== 'ERR_BAD_RESPONSE')
      return new SluiceError('Rejected', `${where}: ${what}: ${error.message}`);
    return new SluiceError(
      'Unreachable',
      `${where} cannot be reached (${error.code ?? ''}, ${what}). Check that it runs and that ${setting} is right; \`sluice status\` shows what is up.`,
    );
  }
  const { status } = response;
  const said = errorFromBody(response.data);
  const details = { status, ...(said.code === undefined ? {} : { code: said.code }) };
  if (saysDiskIsFull(said.message, status))
    return new SluiceError(
      'DiskFull',
      `${where} has no disk space left: it answered ${what} with HTTP ${status}${said.message === '' ? '' : `: ${said.message}`}. Free some there; what waits goes on by itself.`,
      details,
    );
  const type = status === 404 ? 'NotFound' : isRetryableStatus(status) ? 'Unreachable' : 'Rejected';
  return new SluiceError(
    type,
    `${where} answered ${what} with HTTP ${status}${said.message === '' ? '' : `: ${said.message}`}`,
    details,
  );
}

/** The other side's own words, kept short: an error page may be long. */
function errorFromBody(data: unknown): { message: string; code?: string } {
  const text = Buffer.isBuffer(data) ? data.toString('utf8') : data;
  const body = typeof text === 'string' ? parseOr(text) : text;
  if (typeof body === 'object' && body !== null) {
    const { message, error_code: code } = body as { message?: unknown; error_code?: unknown };
    return {
      message: typeof message === 'string' ? message.slice(0, 500) : '',
      ...(typeof code === 'string' ? { code } : {}),
    };
  }
  return { message: typeof body === 'string' ? body.slice(0, 200) : '' };
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isLoopback(url: string): boolean {
  try {
    return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
  } catch {
    return false;
  }
}
