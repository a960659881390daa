import type { RefreshJobRunInput, RefreshResult } from '../refresh/contract.js';
import { refreshOne } from '../refresh/job.js';

/** The spellings of operation types, from the file that domain experts edit. */
export function refreshSynonyms(input: RefreshJobRunInput): Promise<RefreshResult> {
  return refreshOne(input, 'synonyms');
}
