import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { GoldenVectors } from '../../schemas/types.js';
import { smokeReplica } from './smoke.js';

const bundle = { version: '20250630-120000-1.0.0-0a1b2c3', manifestSha256: 'a'.repeat(64) };
const figures = { score: 0.4, calibrated_probability: 0.3, anomaly_score: 0.5 };
const vector = { transaction: { transaction_id: 't' }, features: [1], ...figures };
const vectors: GoldenVectors = {
  feature_names: ['f'],
  features: [vector],
  raw: [vector, ...Array.from({ length: 249 }, () => vector)],
};

let server: Server | undefined;
afterEach(() => server?.close());

interface Replica {
  health: number;
  metadata: object;
  results: (asked: unknown[]) => unknown[];
  manifest: string;
}
/** A replica that is well but for the changes. */
async function replica(changes: Partial<Replica>): Promise<string> {
  const well: Replica = {
    health: 200,
    metadata: { bundle_version: bundle.version, manifest_sha256: bundle.manifestSha256, generation: 3 },
    results: (asked) => asked.map(() => figures),
    manifest: bundle.manifestSha256,
  };
  const { health, metadata, results, manifest } = { ...well, ...changes };
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [status, answer] =
        request.url === '/v1/health'
          ? [health, { reasons: ['catching up with the pointer'] }]
          : request.url === '/v1/metadata'
            ? [200, metadata]
            : [200, { results: results(JSON.parse(body) as unknown[]), versions: { manifest_sha256: manifest } }];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server?.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const smoke = async (changes: Partial<Replica>) =>
  smokeReplica({ address: await replica(changes), bundle, generation: 3, vectors });

describe('smoke', () => {
  it('passes a replica that answers as training computed, and says how closely', async () => {
    expect(await smoke({})).toEqual({ vectors: 250, largestDifference: 0 });
    const near = await smoke({ results: (asked) => asked.map(() => ({ ...figures, score: 0.4 + 9e-6 })) });
    expect(near.largestDifference).toBeCloseTo(9e-6, 9);
  });

  it.each<[string, Partial<Replica>, string, RegExp]>([
    ['a replica that is not ready: it may become so', { health: 503 }, 'Unreachable', /HTTP 503: catching up/],
    [
      'another bundle',
      { metadata: { bundle_version: 'x', manifest_sha256: bundle.manifestSha256, generation: 3 } },
      'SmokeFailed',
      /bundle_version "x"/,
    ],
    [
      'another generation',
      { metadata: { bundle_version: bundle.version, manifest_sha256: bundle.manifestSha256, generation: 2 } },
      'SmokeFailed',
      /generation 2, not 3/,
    ],
    ['answers from another manifest', { manifest: 'b' }, 'SmokeFailed', /from manifest b/],
    ['a missing result', { results: () => [] }, 'SmokeFailed', /0 results for 100 transactions/],
    ['NaN', { results: (asked) => asked.map(() => ({ ...figures, score: null })) }, 'SmokeFailed', /score is NaN/],
    [
      'one wrong vector of many',
      { results: (asked) => asked.map((_, at) => ({ ...figures, anomaly_score: at === 7 ? 0.6 : 0.5 })) },
      'SmokeFailed',
      /\/raw\/7: anomaly_score is 0\.6, training computed 0\.5; they differ by 0\.1/,
    ],
  ])('fails %s', async (_name, changes, type, message) => {
    const error = await smoke(changes).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type, message: expect.stringMatching(message) as string });
  });
});
