import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ApplicationFailure } from '@temporalio/common';
import { diskFullBehind } from './errors.js';

/** Less than this is no space: a database writes at least so much at a time. */
const LEAST_FREE_BYTES = 4 * 1024 * 1024;

/**
 * A server of ours that dies of a full disk only looks as if it could not be reached. Where no space is left on the disk that holds the
 * state, that is what is told instead; any other failure as it is.
 * @param stateDir `SLUICE_STATE_DIR`, where the stack's own servers keep their data
 */
export async function withDiskTold(failure: ApplicationFailure, stateDir: string): Promise<ApplicationFailure> {
  if (failure.type !== 'Unreachable') return failure;
  const place = nearestExisting(stateDir);
  const freeBytes = await statfs(place).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Infinity,
  );
  return freeBytes >= LEAST_FREE_BYTES ? failure : diskFullBehind(failure, place);
}

function nearestExisting(path: string): string {
  let place = resolve(path);
  while (!existsSync(place)) place = dirname(place);
  return place;
}
