import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import { heartbeating } from '../heartbeat.js';
import type { RefreshActivities, RefreshInput } from './contract.js';
import { writeFraudParams } from '../../stores/fraud-params.js';
import { refreshFromRows, type RowJob, type RowRefreshDeps } from './rows/refresh-rows.js';
import type { ScanProgress } from './rows/scan-window.js';

/** The nightly jobs that make their lookups from transactions. */
export function createRowRefreshActivities(
  deps: RowRefreshDeps,
): Pick<RefreshActivities, 'refreshMerchantFrequency' | 'refreshCategoryStats'> {
  const { db, store } = deps;
  const run = (job: RowJob, input: RefreshInput): Promise<RefreshedArtifact[]> => {
    let progress: ScanProgress = { rows: 0, fraction: 0 };
    return heartbeating(
      (signal) => refreshFromRows(deps, job, input, { signal, onProgress: (now) => (progress = now) }),
      () => progress,
    );
  };
  return {
    refreshMerchantFrequency: (input) => run('merchantFrequency', input),
    async refreshCategoryStats(input) {
      const artifacts = await run('categoryStats', input);
      for (const artifact of artifacts) await writeFraudParams(db, store, input.model, artifact);
      return artifacts;
    },
  };
}
