import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { waitForLock } from '../state/lock.js';
import { cacheRoot, type InstallContext } from './context.js';

/** One tool at one version. */
export interface CacheEntry {
  /** the folder's name: tool, version, and whatever else makes it another one */
  key: string;
  /** how people call it */
  title: string;
  part: string;
  /** Files, relative to the folder, whose content is checked by SHA-256 before every use; of all others the presence and size. */
  hashed: readonly string[];
  /** Puts the tool into an empty folder. The folder is renamed into place afterwards, so nothing may remember its path. */
  install(directory: string): Promise<void>;
}

const MANIFEST = 'sluice-install.json';

/** What was installed. Modification times are kept for hashed files only: while one is unchanged the file is not read again. */
type Manifest = Record<string, { bytes: number; sha256?: string; mtimeMs?: number }>;

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function* filesBelow(directory: string, prefix = ''): Generator<string> {
  for (const entry of readdirSync(join(directory, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) {
      // Python writes and rewrites these as it runs
      if (entry.name !== '__pycache__') yield* filesBelow(directory, path);
    } else if (entry.isFile()) yield path;
  }
}

async function describe(directory: string, hashed: readonly string[]): Promise<Manifest> {
  const manifest: Manifest = {};
  for (const path of filesBelow(directory)) manifest[path] = { bytes: lstatSync(join(directory, path)).size };
  for (const path of hashed) {
    const { size, mtimeMs } = statSync(join(directory, path));
    manifest[path] = { bytes: size, mtimeMs, sha256: await sha256(join(directory, path)) };
  }
  return manifest;
}

/** What is wrong with an installed folder, or null: every file that was installed must be there as it was. */
export async function damage(directory: string): Promise<string | null> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(directory, MANIFEST), 'utf8')) as Manifest;
  } catch {
    return `${MANIFEST} is missing or unreadable`;
  }
  for (const [path, expected] of Object.entries(manifest)) {
    const stat = statSync(join(directory, path), { throwIfNoEntry: false });
    if (stat === undefined) return `${path} is missing`;
    if (stat.size !== expected.bytes) return `${path} has ${stat.size} bytes instead of ${expected.bytes}`;
    if (
      expected.sha256 !== undefined &&
      stat.mtimeMs !== expected.mtimeMs &&
      (await sha256(join(directory, path))) !== expected.sha256
    ) {
      return `${path} was changed`;
    }
  }
  return null;
}

/**
 * The folder with this tool, installed if it is not there or not whole. It appears by one rename when it is complete, so a killed install
 * leaves nothing half usable; a lock keeps two installs of the same tool apart.
 */
export async function ensureCached(context: InstallContext, entry: CacheEntry): Promise<string> {
  const root = cacheRoot(context.env);
  const directory = join(root, entry.key);
  if (existsSync(directory) && (await damage(directory)) === null) return directory;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const release = await waitForLock(
    `${directory}.lock`,
    ({ pid }) =>
      context.log({
        part: entry.part,
        phase: 'installing',
        message: `waiting for process ${pid}, which installs ${entry.title} already`,
      }),
    context.signal,
  );
  try {
    const wrong = existsSync(directory) ? await damage(directory) : undefined;
    if (wrong === null) return directory;
    if (wrong !== undefined)
      context.log({
        part: entry.part,
        phase: 'installing',
        message: `installing ${entry.title} again, ${directory} is damaged: ${wrong}`,
      });
    // With the lock held, every draft of this entry is a dead install's.
    for (const name of readdirSync(root))
      if (name.startsWith(`${entry.key}.draft-`)) rmSync(join(root, name), { recursive: true, force: true });
    const draft = `${directory}.draft-${randomBytes(4).toString('hex')}`;
    mkdirSync(draft, { mode: 0o700 });
    try {
      await entry.install(draft);
      const manifest = await describe(draft, entry.hashed);
      writeFileSync(join(draft, MANIFEST), JSON.stringify(manifest) + '\n');
      if (existsSync(directory)) {
        // Away by rename first: a process that still runs from it keeps its open files, and a new one finds it whole or not at all.
        const old = `${directory}.draft-${randomBytes(4).toString('hex')}`;
        renameSync(directory, old);
        rmSync(old, { recursive: true, force: true });
      }
      renameSync(draft, directory);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    context.log({ part: entry.part, phase: 'installed', message: `installed ${entry.title} in ${directory}` });
    return directory;
  } finally {
    release();
  }
}
