import type { RefreshJobRunInput, RefreshResult } from '../refresh/contract.js';
import { refreshOne } from '../refresh/job.js';

/** The exchange rates as last fixed, from the provider that the settings name. */
export function refreshFxRates(input: RefreshJobRunInput): Promise<RefreshResult> {
  return refreshOne(input, 'fxRates');
}
