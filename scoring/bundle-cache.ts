import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyPointer, fetchBundle, type FetchedBundle, type SignedPointer, type Trust } from './bundle-source.js';

const POINTER_FILE = 'pointer.json';

/**
 * The last verified pointer and its bundle on local disk, so that a replica starts and serves with S3 down. `current` is a symbolic
 * link to a directory that is written once and never changed; what is read from here is verified like what comes from S3.
 */
export interface BundleCache {
  /** null when there is nothing; throws when what is there is not believed. */
  read(trust: Trust): Promise<(SignedPointer & FetchedBundle) | null>;
  /** A crash at any moment leaves the old or the new pair, never a mixture. */
  write(signed: SignedPointer, raw: ReadonlyMap<string, Buffer>): Promise<void>;
}

export function createBundleCache(directory: string): BundleCache {
  const current = join(directory, 'current');

  return {
    async read(trust) {
      let bytes: Buffer;
      try {
        bytes = await readFile(join(current, POINTER_FILE));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      const signed = verifyPointer(bytes, trust);
      const fetched = await fetchBundle((name) => readFile(join(current, 'bundle', name)), trust, signed.pointer);
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
  };
}
