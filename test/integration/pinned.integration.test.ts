import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureKeyFiles, loadSigner } from '../../platform/keys.js';
import type { ApiError, Health, Metadata, Reloaded, ScoreResponse } from '../../scoring/serving/api-schemas.js';
import { ensureBuilt } from '../support/build.js';
import { samplesOf } from '../support/scrape.js';
import { startScorerProcess, type ScorerProcess } from '../support/scorer-process.js';
import {
  makeTinyBundle,
  TINY_MODEL,
  tinyTransaction,
  writeTinyModel,
  type TinyBundle,
} from '../support/tiny-bundle.js';

// A scorer pinned to a directory, as its own process from the build. It needs no server.
const ADMIN = 'integration-admin-token';
const scratch = mkdtempSync(join(tmpdir(), 'sluice-pinned-'));
const trustedKeys = join(scratch, 'trusted.json');
let bundles: { a: TinyBundle; b: TinyBundle };
let signer: Awaited<ReturnType<typeof loadSigner>>;
let serial = 0;
const running: ScorerProcess[] = [];

beforeAll(async () => {
  await ensureBuilt();
  writeTinyModel(scratch);
  const signingKey = join(scratch, 'signing.pem');
  await ensureKeyFiles(signingKey, trustedKeys);
  signer = await loadSigner(signingKey);
  bundles = {
    a: await makeTinyBundle({ signer, patch: 1, model: 'a' }),
    b: await makeTinyBundle({ signer, patch: 2, model: 'b' }),
  };
});
afterEach(async () => {
  for (const scorer of running) scorer.signal('SIGKILL');
  await Promise.all(running.splice(0).map(({ exited }) => exited));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function write(directory: string, files: ReadonlyMap<string, Buffer>): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
}
/** A directory of its own for a test, with this bundle in it. */
function directoryOf(bundle: TinyBundle): string {
  const directory = join(scratch, `bundle-${(serial += 1)}`);
  write(directory, bundle.files);
  return directory;
}
/** As mounts in Kubernetes do it. */
function pointTo(link: string, directory: string): void {
  symlinkSync(directory, `${link}.new`);
  renameSync(`${link}.new`, link);
}

async function start(directory: string, env: Record<string, string> = {}): Promise<ScorerProcess> {
  const scorer = await startScorerProcess({
    SCORER_MODEL: TINY_MODEL,
    SLUICE_MODELS_DIR: scratch,
    SCORER_REPLICA_ID: `r-${running.length}`,
    SLUICE_STATE_DIR: scratch,
    SLUICE_TRUSTED_KEYS_FILE: trustedKeys,
    SLUICE_ADMIN_TOKEN: ADMIN,
    ARTIFACTS_DIR: directory,
    SCORER_WATCH_MS: '50',
    ...env,
  });
  running.push(scorer);
  return scorer;
}
async function call<T>(
  scorer: ScorerProcess,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: T }> {
  const response = await fetch(scorer.address + path, init);
  return { status: response.status, body: (await response.json()) as T };
}
const health = (scorer: ScorerProcess) => call<Health>(scorer, '/v1/health');
const reload = <T>(scorer: ScorerProcess) =>
  call<T>(scorer, '/v1/reload-artifacts', { method: 'POST', headers: { authorization: `Bearer ${ADMIN}` } });
const score = (scorer: ScorerProcess) =>
  call<ScoreResponse>(scorer, '/v1/score', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(tinyTransaction),
  });
/** in every process: which of them answers is not ours to say */
const serves = (scorer: ScorerProcess, { version }: TinyBundle) =>
  vi.waitFor(
    async () => {
      for (let asked = 0; asked < 5; asked += 1)
        expect((await score(scorer)).body.versions.bundle_version).toBe(version);
    },
    { timeout: 20_000, interval: 20 },
  );

describe('a pinned scorer', () => {
  it('serves a directory, needs no server, follows nothing', async () => {
    const directory = directoryOf(bundles.b);
    const scorer = await start(directory);
    expect(await health(scorer)).toMatchObject({
      status: 200,
      body: { generation: null, bundle_version: bundles.b.version, notices: [] },
    });
    expect((await score(scorer)).body.versions.generation).toBeNull();
    expect((await call<Metadata>(scorer, '/v1/metadata')).body).toMatchObject({ from: 'pinned', stale_since: null });

    writeFileSync(join(directory, 'isotonic.json'), '{"x":[0,1],"y":[0,0]}');
    await expect(start(directory)).rejects.toThrow(/ended with 1[\s\S]*isotonic\.json has/);
  });

  it.each(['1', '2'])(
    'follows the link and the files under load (%s serving), each answer from exactly one bundle',
    async (SCORER_PROCESSES) => {
      // prettier-ignore
      const directory = directoryOf(bundles.a);
      const other = directoryOf(bundles.b);
      const link = join(scratch, `current-${(serial += 1)}`);
      pointTo(link, directory);
      const scorer = await start(link, { SCORER_PROCESSES });
      const expected = new Map<string, number>();
      let stop = false;
      let answered = 0;
      const client = async (): Promise<void> => {
        while (!stop) {
          const { status, body } = await score(scorer);
          expect(status).toBe(200);
          const { bundle_version } = body.versions;
          const figure = body.results[0]?.score as number;
          expect(figure).toBe(expected.get(bundle_version) ?? figure);
          expected.set(bundle_version, figure);
          answered += 1;
        }
      };
      const clients = Array.from({ length: 4 }, client);
      for (const [to, bundle] of [
        [other, bundles.b],
        [directory, bundles.a],
        [other, bundles.b],
      ] as const) {
        // prettier-ignore
        pointTo(link, to);
        await serves(scorer, bundle);
      }
      // The files themselves are replaced, and for a while they are a mixture.
      const whole = [...bundles.a.files];
      write(other, new Map(whole.filter(([name]) => name.startsWith('manifest'))));
      await vi.waitFor(
        async () =>
          expect(await health(scorer)).toMatchObject({
            status: 200,
            body: {
              bundle_version: bundles.b.version,
              notices: [expect.stringMatching(/ARTIFACTS_DIR.*pipeline|has/)],
            },
          }),
        { timeout: 20_000 },
      );
      write(other, bundles.a.files);
      await serves(scorer, bundles.a);
      await vi.waitFor(async () => expect((await health(scorer)).body.notices).toEqual([]), { timeout: 20_000 });
      stop = true;
      await Promise.all(clients);
      expect(new Set(expected.values()).size).toBe(2);
      expect(answered).toBeGreaterThan(100);

      const metrics = samplesOf(await (await fetch(`${scorer.address}/metrics`)).text());
      const loads = metrics.find(({ name, labels }) => name.endsWith('reload_seconds_count') && labels['outcome'] === 'loaded'); // prettier-ignore
      expect(loads?.value).toBe(5);
      const lines = scorer
        .output()
        .split('\n')
        .filter((line) => line.includes('cannot be served'));
      expect(new Set(lines.map((line) => /"message":"([^"]*)/.exec(line)?.[1])).size).toBe(lines.length);
      scorer.signal('SIGTERM');
      expect(await scorer.exited).toBe(0);
    },
  );

  it.each(['1', '2'])(
    'is reloaded when somebody asks (%s serving): once, however many ask',
    async (SCORER_PROCESSES) => {
      const directory = directoryOf(bundles.a);
      const scorer = await start(directory, { SCORER_WATCH_MS: '0', SCORER_PROCESSES });
      write(directory, bundles.b.files);
      const answers = await Promise.all(Array.from({ length: 8 }, () => reload<Reloaded>(scorer)));
      for (const { status, body } of answers) {
        expect(status).toBe(200);
        expect(body).toMatchObject({ bundle_version: bundles.b.version, generation: null });
        expect(body.manifest_sha256).toBe(bundles.b.manifestSha256);
      }
      expect(answers.filter(({ body }) => body.outcome === 'loaded')).toHaveLength(1);
      expect((await reload<Reloaded>(scorer)).body.outcome).toBe('current');
      await serves(scorer, bundles.b);

      const wrong = await makeTinyBundle({ signer, patch: 3, goldenError: 1e-3 });
      write(directory, wrong.files);
      const refused = await reload<ApiError>(scorer);
      expect(refused).toMatchObject({ status: 409, body: { error: { type: 'Conflict' } } });
      expect(refused.body.error.message).toMatch(/golden_vectors/);
      expect((await health(scorer)).body.notices.join()).toMatch(/ARTIFACTS_DIR.*golden_vectors/);
      await serves(scorer, bundles.b);
      write(directory, bundles.a.files);
      expect((await reload<Reloaded>(scorer)).body).toMatchObject({ outcome: 'loaded', generation: null });
      await serves(scorer, bundles.a);
    },
  );
});
