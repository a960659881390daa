import axios, { isAxiosError } from 'axios';
import { isRetryableStatus, SluiceError } from '../../platform/errors.js';
import type { GoldenVectors } from '../../schemas/types.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** A score that differs by more from what training computed is another model's. */
const TOLERANCE = 1e-5;
const TIMEOUT_MS = 10_000;
/** transactions in one request; scorers take at least this many */
const CHUNK = 100;
const FIGURES = ['score', 'calibrated_probability', 'anomaly_score'] as const;

type Figures = Record<(typeof FIGURES)[number], number>;

export interface Smoke {
  /** base URL of the replica */
  address: string;
  bundle: BundleId;
  generation: number;
  vectors: GoldenVectors;
}

/**
 * Examines a replica as its callers see it: health, metadata, and the golden transactions through `/v1/score`.
 * @throws SluiceError SmokeFailed, final, that says which answer was wrong and by how much; Unreachable when it answers that it cannot
 *   serve now, and where nobody answers at all, then with `silent` in its details
 */
export async function smokeReplica({
  address,
  bundle,
  generation,
  vectors,
}: Smoke): Promise<{ vectors: number; largestDifference: number }> {
  const http = axios.create({ baseURL: address, timeout: TIMEOUT_MS, maxRedirects: 0, proxy: false });
  const failed = (why: string, details?: Record<string, unknown>): SluiceError =>
    new SluiceError('SmokeFailed', why, details);
  const answer = async <T>(what: string, call: Promise<{ data: T }>): Promise<T> => {
    try {
      return (await call).data;
    } catch (error) {
      if (!isAxiosError<{ error?: { message?: string }; reasons?: string[] }>(error)) throw error;
      if (error.response === undefined)
        throw new SluiceError('Unreachable', `${what} was not answered (${error.code ?? error.message})`, {
          silent: true,
        });
      const { status, data } = error.response;
      const why = `${what} answered HTTP ${status}: ${data.error?.message ?? data.reasons?.join('; ') ?? 'no reason given'}`;
      // "Not ready" may pass, as after a lease was gained again; a refusal of the bundle's own transactions will not.
      throw isRetryableStatus(status) ? new SluiceError('Unreachable', why) : failed(why);
    }
  };

  await answer('/v1/health', http.get('/v1/health'));

  const metadata = await answer('/v1/metadata', http.get<Record<string, unknown>>('/v1/metadata'));
  const expected = { bundle_version: bundle.version, manifest_sha256: bundle.manifestSha256, generation };
  for (const [name, value] of Object.entries(expected)) {
    if (metadata[name] !== value)
      throw failed(`/v1/metadata says ${name} ${JSON.stringify(metadata[name])}, not ${JSON.stringify(value)}`);
  }

  let largestDifference = 0;
  for (let start = 0; start < vectors.raw.length; start += CHUNK) {
    const chunk = vectors.raw.slice(start, start + CHUNK);
    const { results, versions } = await answer(
      '/v1/score',
      http.post<{ results: Figures[]; versions: { manifest_sha256: string } }>(
        '/v1/score',
        chunk.map(({ transaction }) => transaction),
      ),
    );
    if (versions.manifest_sha256 !== bundle.manifestSha256)
      throw failed(`/v1/score answered from manifest ${versions.manifest_sha256}, not ${bundle.manifestSha256}`);
    if (results.length !== chunk.length)
      throw failed(`/v1/score gave ${results.length} results for ${chunk.length} transactions`);
    for (const [index, vector] of chunk.entries()) {
      for (const figure of FIGURES) {
        const given: unknown = results[index]?.[figure];
        const actual = typeof given === 'number' ? given : NaN;
        const difference = Math.abs(actual - vector[figure]);
        // Written so that NaN does not pass.
        if (!(difference <= TOLERANCE)) {
          const at = start + index;
          throw failed(
            `golden vector /raw/${at}: ${figure} is ${actual}, training computed ${vector[figure]}; they differ by ${difference.toPrecision(3)}`,
            {
              vector: at,
              figure,
              actual,
              expected: vector[figure],
            },
          );
        }
        largestDifference = Math.max(largestDifference, difference);
      }
    }
  }
  return { vectors: vectors.raw.length, largestDifference };
}
