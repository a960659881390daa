import type { ModelSpec } from '../../schemas/types.js';
import { heartbeating } from '../heartbeat.js';
import { compareWindow, type CompareDeps } from './compare-window.js';
import type { DriftActivities, DriftTarget } from './contract.js';
import type { ReadOptions } from './read-window.js';
import { snapshotWindow } from './snapshot-window.js';

type Spec = Pick<ModelSpec, 'data' | 'drift'>;

export interface DriftDeps extends CompareDeps {
  models: { load: (model: string) => Promise<{ spec: Spec }> };
}

/** What reads a window of scored rows: its comparison with the training data, and its own figures. */
export function createDriftActivities({ models, ...deps }: DriftDeps): DriftActivities {
  const reading = async <T>(
    target: DriftTarget,
    work: (deps: CompareDeps, spec: Spec, target: DriftTarget, options: ReadOptions) => Promise<T>,
  ): Promise<T> => {
    const { spec } = await models.load(target.model);
    let rows = 0;
    return await heartbeating(
      (signal) => work(deps, spec, target, { signal, onProgress: (now) => (rows = now) }),
      () => ({ rows }),
    );
  };
  return {
    compareWindow: (target) => reading(target, compareWindow),
    snapshotWindow: (target) => reading(target, snapshotWindow),
  };
}
