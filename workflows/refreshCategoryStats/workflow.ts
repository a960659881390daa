import type { RefreshJobRunInput, RefreshResult } from '../refresh/contract.js';
import { refreshOne } from '../refresh/job.js';

/** The amounts' robust statistics per category in the window, anew. */
export function refreshCategoryStats(input: RefreshJobRunInput): Promise<RefreshResult> {
  return refreshOne(input, 'categoryStats');
}
