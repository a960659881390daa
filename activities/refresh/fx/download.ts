import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import axios, { type AxiosResponse } from 'axios';
import { FxAnswerError } from '../../../domain/fx/answer.js';
import { isRetryableStatus, SluiceError, type FailureType } from '../../../platform/errors.js';

/** One request may take so long from its start to its last byte, however slowly the other side sends. */
const DEADLINE_MS = 45_000;
const CONNECT_TIMEOUT_MS = 10_000;
const EXPLANATION_BYTES = 16 * 1024;
const AFTERWARDS =
  'Nothing was stored, and the live rates stay. FX_SOURCE chooses the source; another run tries again.';

export interface Download {
  /** how messages call the other side */
  system: string;
  url: URL;
  /** beyond the address, and never in a message: keys */
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** replaced in whatever the other side says */
  secret?: string;
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/**
 * Reads a document from a source that is not trusted: one request to that address and nowhere else (a redirect is refused), to its end or to
 * `maxBytes`, within a fixed time, handed on piece by piece.
 * @param consume gets the body's pieces; what it throws as FxAnswerError is told with the source's name
 */
export async function download<T>(
  request: Download,
  consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  let response: AxiosResponse<Readable> | undefined;
  try {
    response = await get(request, signal);
    await expectSuccess(request, response);
    const type = String(response.headers['content-type'] ?? '');
    if (/html/i.test(type)) throw new FxAnswerError('InvalidInput', 'it answered with a web page (HTML)');
    return await consume(limited(response.data, request.maxBytes));
  } catch (error) {
    request.signal?.throwIfAborted();
    if (error instanceof SluiceError) throw error;
    if (error instanceof FxAnswerError) throw failure(error.name, request, error.message);
    if (deadline.aborted) throw failure('Unreachable', request, `no whole answer within ${DEADLINE_MS / 1000} s`);
    const code = (error as { code?: string }).code ?? (error as Error).name;
    throw failure('Unreachable', request, `cannot be reached, or broke off (${code})`);
  } finally {
    response?.data.destroy();
  }
}

/** The error of axios is not kept as a cause: it carries the request, and with it the key. */
function failure(type: FailureType, { system, url, secret }: Download, message: string): SluiceError {
  const redacted = secret === undefined || secret === '' ? message : message.replaceAll(secret, '[secret]');
  return new SluiceError(type, `${system} (${url.origin}${url.pathname}): ${redacted}. ${AFTERWARDS}`);
}

function get({ url, query, headers }: Download, signal: AbortSignal): Promise<AxiosResponse<Readable>> {
  return axios.get<Readable>(url.href, {
    responseType: 'stream',
    maxRedirects: 0,
    timeout: CONNECT_TIMEOUT_MS,
    signal,
    validateStatus: () => true,
    headers: { accept: 'application/xml, text/xml, application/json', ...headers },
    ...(query === undefined ? {} : { params: query }),
    // a proxy set for the outside world cannot reach this machine's own servers
    ...(/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname) ? { proxy: false as const } : {}),
  });
}

async function expectSuccess(request: Download, { status, headers, data }: AxiosResponse<Readable>): Promise<void> {
  if (status === 200) return;
  if (status >= 300 && status < 400) {
    const target = URL.parse(String(headers['location'] ?? ''), request.url.href);
    throw failure('Rejected', request, `redirects to ${target?.host ?? 'elsewhere'} (HTTP ${status}): not followed`);
  }
  const said = await explanation(data);
  const type = isRetryableStatus(status) ? 'Unreachable' : 'Rejected';
  throw failure(type, request, `answered with HTTP ${status}${said === '' ? '' : `: ${said}`}`);
}

/** What an error's body says, if it is short and plain. */
async function explanation(body: Readable): Promise<string> {
  try {
    const { description, message, error } = JSON.parse(await text(limited(body, EXPLANATION_BYTES))) as Record<
      string,
      unknown
    >;
    const said = [description, message, (error as { info?: unknown } | undefined)?.info].find(
      (one) => typeof one === 'string',
    );
    return typeof said === 'string' ? said.replace(/\s+/g, ' ').slice(0, 200) : '';
  } catch {
    return '';
  }
}

async function* limited(body: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes)
      throw new FxAnswerError(
        'InvalidInput',
        `its answer is larger than ${maxBytes / 1024 / 1024} MB: not read further`,
      );
    yield piece;
  }
}
