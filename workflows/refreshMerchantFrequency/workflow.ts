import type { RefreshJobRunInput, RefreshResult } from '../refresh/contract.js';
import { refreshOne } from '../refresh/job.js';

/** How often each merchant was seen in the window, anew. */
export function refreshMerchantFrequency(input: RefreshJobRunInput): Promise<RefreshResult> {
  return refreshOne(input, 'merchantFrequency');
}
