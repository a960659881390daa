import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { MAX_BYTES } from '../../domain/bundle/limits.js';
import { loadSettings } from '../../platform/config.js';
import { objectStoreOf } from '../../platform/connect.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { ensureCached } from '../../stack/install/cache.js';
import { readStackEnv } from '../../stack/status.js';
import { bundlesPrefix } from '../../stores/keys.js';
import { context, say } from '../setup.js';

/** the demo's model: its bundles are what is scored with */
export const MODEL = 'ulb_gbdt';
/** what a bundle comes from: when one of these changes, new ones are made */
const SOURCES = ['models', 'training', 'data', 'domain/bundle', 'domain/dsse', 'domain/features', 'domain/lookups'];
const OWN_SERVERS = ['MONGODB_URI', 'S3_ENDPOINT', 'S3_BUCKET', 'TEMPORAL_ADDRESS', 'MLFLOW_TRACKING_URI'];

/** Two bundles of the same model that score differently, as folders, and the file with the key that signed both. */
export interface BenchBundles {
  first: string;
  second: string;
  keys: string;
}

/** Bundles of two real releases on the demo's data, trained with different seeds; made once per state of the sources, then kept in the cache. */
export async function ensureBundles(): Promise<BenchBundles> {
  const directory = await ensureCached(context, {
    key: `bench-bundles-${digestOfSources()}`,
    title: "the benchmark's bundles",
    part: 'bench',
    hashed: [],
    install: makeBundles,
  });
  return {
    first: join(directory, 'first'),
    second: join(directory, 'second'),
    keys: join(directory, 'trusted_keys.json'),
  };
}

async function makeBundles(draft: string): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const stateDir = join(home, '.sluice');
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !OWN_SERVERS.includes(name) && !name.startsWith('SCORER_')),
  );
  const sluice = (...words: string[]) =>
    execa(process.execPath, [projectPath('bin', 'sluice.mjs'), '--state-dir', stateDir, ...words], {
      cwd: home,
      env,
      extendEnv: false,
      all: true,
    });
  try {
    say('making the bundles: two releases on the demo data, about three minutes, once');
    await sluice('start', '--once');
    await sluice('up', '--detach');
    await sluice('release', 'start', '--id', 'second', '--as-of', '2025-06-30', '--seed', '7', '--reason', 'bench');
    const stackEnv = readStackEnv(stateDir) ?? {};
    const store = objectStoreOf(loadSettings(stackEnv));
    try {
      const versions = await versionsOf(store);
      if (versions.length !== 2) throw new Error(`two bundles were expected, not ${versions.join(', ')}`);
      for (const [at, name] of ['first', 'second'].entries())
        await download(store, `${bundlesPrefix(MODEL)}${versions[at] ?? ''}/`, join(draft, name));
    } finally {
      store.close();
    }
    await copyFile(stackEnv['SLUICE_TRUSTED_KEYS_FILE'] ?? '', join(draft, 'trusted_keys.json'));
  } finally {
    await execa(process.execPath, [projectPath('bin', 'sluice.mjs'), '--state-dir', stateDir, 'down', '--purge'], {
      env,
      extendEnv: false,
      stdio: 'ignore',
      reject: false,
    });
    await rm(home, { recursive: true, force: true });
  }
}

/** In the order of their release: a version begins with its time. */
async function versionsOf(store: ObjectStore): Promise<string[]> {
  const prefix = bundlesPrefix(MODEL);
  const names = (await store.list(prefix)).map(({ key }) => key.slice(prefix.length));
  return [
    ...new Set(names.filter((name) => name.includes('/')).map((name) => name.slice(0, name.indexOf('/')))),
  ].sort();
}

async function download(store: ObjectStore, prefix: string, into: string): Promise<void> {
  await mkdir(into);
  for (const { key } of await store.list(prefix)) {
    const object = await store.get(key, { maxBytes: MAX_BYTES.model });
    if (object === null) throw new Error(`${key} has gone`);
    await writeFile(join(into, key.slice(prefix.length)), object.bytes);
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    if (!existsSync(path)) return;
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) visit(inside);
      else if (!/\.(test\.ts|md|pyc)$/.test(entry.name)) hash.update(entry.name).update(readFileSync(inside));
    }
  };
  for (const folder of SOURCES) visit(projectPath(folder));
  return hash.digest('hex').slice(0, 12);
}
