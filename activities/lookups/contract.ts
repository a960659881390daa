import type { Caller } from '../../domain/approval/caller.js';
import type { PublishedExpertFile } from '../../domain/lookups/expert-file.js';

/** queue `release` */
export interface ExpertFileActivities {
  /**
   * Checks an experts' file and puts it where nightly jobs and releases read it. Asked again, it answers as the first time. InvalidInput with
   * every finding; Conflict when the file is another one than the edit began from.
   */
  publishExpertFile(input: {
    model: string;
    lookup: string;
    /** gzip, as base64 */
    packed: string;
    /** digest of the file that the edit began from, where the editor knows it */
    base?: string;
    by: Pick<Caller, 'actor' | 'reason'>;
    /** ISO, from the workflow's clock: names the publication */
    at: string;
  }): Promise<PublishedExpertFile>;
}
