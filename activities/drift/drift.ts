import { tmpdir } from 'node:os';
import type { ModelSpec } from '../../schemas/types.js';
import { heartbeating } from '../heartbeat.js';
import { compareWindow, type CompareDeps } from './compare-window.js';
import type { DriftActivities, DriftTarget } from './contract.js';
import type { ReadOptions } from './read-window.js';
import { snapshotWindow } from './snapshot-window.js';

export interface DriftDeps extends Omit<CompareDeps, 'tempDir'> {
  models: { load: (model: string) => Promise<{ spec: ModelSpec }> };
  tempDir?: string;
}

/** What reads a window of scored rows: its comparison with the training data, and its own figures. */
export function createDriftActivities({
  models,
  db,
  store,
  trustedKeys,
  tempDir = tmpdir(),
}: DriftDeps): DriftActivities {
  const reading = async <T>(
    target: DriftTarget,
    work: (deps: CompareDeps, spec: ModelSpec, target: DriftTarget, options: ReadOptions) => Promise<T>,
  ): Promise<T> => {
    const { spec } = await models.load(target.model);
    let rows = 0;
    return await heartbeating(
      (signal) =>
        work({ db, store, trustedKeys, tempDir }, spec, target, { signal, onProgress: (now) => (rows = now) }),
      () => ({ rows }),
    );
  };
  return {
    compareWindow: (target) => reading(target, compareWindow),
    snapshotWindow: (target) => reading(target, snapshotWindow),
  };
}
