import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { nextPointer, writePointerFile } from '../../domain/pointer/pointer.js';
import { objectStoreOf } from '../../platform/connect.js';
import { loadSigner } from '../../platform/keys.js';
import { bundleKey, pointerKey } from '../../stores/keys.js';
import type { Pointer } from '../../schemas/types.js';
import { pin, startPinned, type RunningServer } from '../process.js';
import { MODEL, type BenchBundles } from '../scoring/bundles.js';
import { sluiceScorer } from '../scoring/contenders.js';
import { startServers } from '../setup.js';

/** A bundle that the pointer may name. */
export interface Published {
  version: string;
  manifestSha256: string;
}

export interface Replica extends RunningServer {
  port: number;
}

/** Two published bundles, the pointer, and replicas that follow it. */
export interface ReloadWorld {
  bundles: [Published, Published];
  /** The next generation names this bundle. @returns the generation */
  pointTo(bundle: Published): Promise<number>;
  startReplica(): Promise<Replica>;
  /** Asks a replica to follow the pointer. @returns how long it took to answer, in ms @throws Error when it did not load that generation */
  reload(replica: Replica, generation: number): Promise<number>;
  stop(): Promise<void>;
}

/** @param cores of the replica, and of the servers that it reads from */
export async function startWorld(
  { first, second, keys }: BenchBundles,
  cores: { replica: string; servers: string },
): Promise<ReloadWorld> {
  const { stack, settings, stateDir, stop } = await startServers();
  const store = objectStoreOf(settings);
  try {
    for (const { pid } of stack.parts()) if (pid !== null) await pin(pid, cores.servers);
    await store.ensureBucket();
    const publish = async (folder: string): Promise<Published> => {
      const manifest = await readFile(join(folder, MANIFEST_FILE));
      const { version } = JSON.parse(manifest.toString('utf8')) as { version: string };
      for (const file of await readdir(folder))
        await store.putIfAbsent(
          bundleKey(MODEL, version, file),
          await readFile(join(folder, file)),
          'application/octet-stream',
        );
      return { version, manifestSha256: sha256Hex(manifest) };
    };
    const bundles: [Published, Published] = [await publish(first), await publish(second)];
    const signer = await loadSigner(settings.SLUICE_SIGNING_KEY_FILE);
    const trusted = join(stateDir, 'bench_trusted_keys.json');
    await writeFile(trusted, await mergedKeys([keys, settings.SLUICE_TRUSTED_KEYS_FILE]));
    const adminToken = randomBytes(24).toString('base64url');
    let pointer: Pointer | null = null;
    return {
      bundles,
      async pointTo(bundle) {
        const key = pointerKey(MODEL, 'production');
        const swap = {
          releaseId: 'bench',
          putId: randomBytes(8).toString('hex'),
          actor: 'bench',
          reason: 'a benchmark',
        };
        const next: Pointer = nextPointer(pointer, {
          ...swap,
          model: MODEL,
          environment: 'production',
          bundle,
          expectedGeneration: pointer?.generation ?? 0,
          updatedAt: new Date().toISOString(),
        });
        const etag = (await store.head(key))?.etag ?? null;
        const put = await store.putIfMatch(key, writePointerFile(next, signer), etag);
        if (put.outcome !== 'swapped') throw new Error('somebody else moved the pointer');
        pointer = next;
        return next.generation;
      },
      async startReplica() {
        const port = await getPort();
        const env = { ...stack.env, SLUICE_TRUSTED_KEYS_FILE: trusted, SLUICE_ADMIN_TOKEN: adminToken };
        // what is not ordered does not happen: no polling, and no log, whose database would share a core with the load
        const quiet = { SCORER_POLL_MS: '600000', SCORER_PREDICTION_LOG: 'off', SCORER_ENVIRONMENT: 'production' };
        const scorer = { core: cores.replica, port, keys: trusted, stateDir: join(stateDir, `replica-${port}`) };
        const pinned = sluiceScorer({ ...scorer, env: { ...env, SLUICE_STATE_DIR: scorer.stateDir, ...quiet } });
        return { ...(await startPinned(pinned)), port };
      },
      reload: (replica, generation) => reload(replica.port, adminToken, generation),
      async stop() {
        store.close();
        await stop();
      },
    };
  } catch (error) {
    store.close();
    await stop();
    throw error;
  }
}

async function mergedKeys(files: readonly string[]): Promise<string> {
  const keys: unknown[] = [];
  for (const file of files) keys.push(...(JSON.parse(await readFile(file, 'utf8')) as { keys: unknown[] }).keys);
  return JSON.stringify({ keys });
}

/** The route takes 60 orders a minute from one address; orders come from several of this machine's own. */
async function reload(port: number, token: string, generation: number): Promise<number> {
  const startedMs = performance.now();
  const localAddress = `127.0.0.${2 + (generation % 200)}`;
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({
      ...{ host: '127.0.0.1', port, localAddress, method: 'POST', path: '/v1/reload-artifacts' },
      headers: { authorization: `Bearer ${token}` },
      agent: false,
    });
    asked.on('error', reject).on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.end();
  });
  const answer = JSON.parse(text) as { generation?: number };
  if (status !== 200 || answer.generation !== generation)
    throw new Error(`generation ${generation} was not loaded: ${status} ${text}`);
  return performance.now() - startedMs;
}
