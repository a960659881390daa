import type { Batch } from './batch.js';
import type { Where } from './documents.js';
import type { WriteOutcome } from './write.js';

/** What the main thread and the log's thread say to each other. Types only. */

export interface LogThreadData extends Where {
  /** of MongoDB */
  uri: string;
  database: string;
  retentionDays: number;
  /** an attempt ends after this */
  timeoutMs: number;
}

export type ToLogThread = { kind: 'write'; batch: Batch } | { kind: 'close' };

/** One answer to every `write`. */
export type FromLogThread = { kind: 'written'; outcome: WriteOutcome } | { kind: 'failed'; message: string };
