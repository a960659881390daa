import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { RowChunk, type ChunkField } from '../../domain/columns/row-chunk.js';
import { ContentHash } from './content-hash.js';
import { eachChunk, RowSpool, type WrittenChunk } from './row-spool.js';
import { Spool } from './spool.js';

/** The rows of a spool that are hashed behind a header: all that another thread needs to find them. */
export interface HashJob {
  header: string;
  path: string;
  chunks: readonly WrittenChunk[];
  fields: readonly ChunkField[];
  /** rows of a chunk, at most */
  capacity: number;
}

/** @returns the content hash, see `ContentHash` */
export type HashRows = (job: HashJob, signal?: AbortSignal) => Promise<string>;

/** Hashes in this thread. */
export const hashRows: HashRows = async ({ header, path, chunks, fields, capacity }, signal) => {
  const spool = await Spool.open(path);
  try {
    const hash = new ContentHash(header);
    const chunk = new RowChunk(fields, capacity);
    await eachChunk(new RowSpool(spool, chunks), chunk, () => hash.addRows(chunk), { signal, onProgress: () => {} });
    return hash.digest();
  } finally {
    await spool.close();
  }
};

/** Hashes in a thread of its own, so that this one goes on with the rows. */
export const hashRowsInThread: HashRows = async (job, signal) => {
  const worker = new Worker(new URL('./hash-thread.js', import.meta.url), { workerData: job, name: 'content-hash' });
  try {
    const [digest] = (await once(worker, 'message', { signal })) as [string];
    return digest;
  } finally {
    await worker.terminate();
  }
};
