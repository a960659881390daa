import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_BYTES } from '../../domain/bundle/limits.js';
import { readLimited } from '../../platform/files.js';
import type { FetchedBundle } from '../traffic/orders.js';
import { verifyPointer, fetchBundle, type SignedPointer, type Trust } from './bundle-source.js';

const POINTER_FILE = 'pointer.json';

/**
 * The last verified pointer and its bundle on local disk, so that a replica starts and serves with S3 down. `current` is a symbolic
 * link to a directory that is written once and never changed; what is read from here is verified like what comes from S3.
 */
export interface BundleCache {
  /** null when there is nothing; throws when what is there is not believed. */
  read(trust: Trust): Promise<(SignedPointer & FetchedBundle) | null>;
  /** The generation of the pointer on disk, whatever became of its bundle; 0 when there is none that can be believed. */
  generation(trust: Trust): Promise<number>;
  /** A crash at any moment leaves the old or the new pair, never a mixture. */
  write(signed: SignedPointer, raw: ReadonlyMap<string, Buffer>): Promise<void>;
  /** Notes when the pointer that is kept was last seen in the store, as its file's time; needs no room on the disk. Never rejects. */
  seen(at: Date): Promise<void>;
  /** What `seen` noted last, at least when it was written; null when nothing is kept. */
  lastSeen(): Promise<Date | null>;
}

export function createBundleCache(directory: string): BundleCache {
  const current = join(directory, 'current');
  const pointerFile = join(current, POINTER_FILE);

  const readPointer = async (trust: Trust): Promise<SignedPointer | null> => {
    try {
      return verifyPointer(await readLimited(pointerFile, { maxBytes: MAX_BYTES.pointer }), trust);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };

  return {
    async generation(trust) {
      const signed = await readPointer(trust).catch(() => null);
      return signed?.pointer.generation ?? 0;
    },

    async read(trust) {
      const signed = await readPointer(trust);
      if (signed === null) return null;
      const fetched = await fetchBundle(
        (name, limit) => readLimited(join(current, 'bundle', name), limit),
        trust,
        signed.pointer,
      );
      return { ...signed, ...fetched };
    },

    async write({ pointer, bytes }, raw) {
      const name = `generation-${pointer.generation}-${randomUUID().slice(0, 8)}`;
      const target = join(directory, name);
      await mkdir(join(target, 'bundle'), { recursive: true });
      for (const [file, content] of raw) await writeFile(join(target, 'bundle', file), content);
      await writeFile(join(target, POINTER_FILE), bytes);
      const link = join(directory, `.${name}`);
      await symlink(name, link);
      await rename(link, current);
      const stale = (await readdir(directory)).filter((entry) => entry !== name && /^\.?generation-/.test(entry));
      await Promise.all(stale.map((entry) => rm(join(directory, entry), { recursive: true, force: true })));
    },

    // Where the disk does not take it, a restart tells an earlier time: on the safe side.
    seen: (at) => utimes(pointerFile, at, at).catch(() => undefined),

    lastSeen: () =>
      stat(pointerFile).then(
        ({ mtime }) => mtime,
        () => null,
      ),
  };
}
