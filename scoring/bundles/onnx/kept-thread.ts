import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createBackoff } from '../../../platform/backoff.js';
import type { ModelThread } from './model-thread.js';

/** A thread that is replaced when it dies. */
export interface KeptThread {
  /** null while there is none */
  readonly current: ModelThread | null;
  /** it has been away for so long that nobody should wait for it */
  readonly overdue: boolean;
  /** From here on one that ends is not replaced. */
  letGo(): void;
  close(): Promise<void>;
}

export interface KeptThreadOptions {
  open: () => Promise<ModelThread>;
  /** how long it may be away before it is overdue */
  deadlineMs: number;
  /** another thread has taken its place */
  onBack: () => void;
  onOverdue: () => void;
  /** it ended, and is not replaced */
  onGone: () => void;
  log: Logger;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/** Opens the first thread; its failure is the caller's. */
export async function keepThread({
  open,
  deadlineMs,
  onBack,
  onOverdue,
  onGone,
  log,
}: KeptThreadOptions): Promise<KeptThread> {
  let current: ModelThread | null = null;
  let overdue = false;
  let isLetGo = false;

  const adopt = (opened: ModelThread): void => {
    current = opened;
    overdue = false;
    void opened.ended.then(() => {
      if (current !== opened) return;
      current = null;
      if (isLetGo) return onGone();
      log.error('model thread ended; starting another');
      void replace();
    });
  };

  const replace = async (): Promise<void> => {
    const deadline = setTimeout(() => {
      overdue = true;
      onOverdue();
    }, deadlineMs);
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (current === null && !isLetGo) {
      try {
        const opened = await open();
        if (isLetGo) await opened.close();
        else {
          adopt(opened);
          onBack();
        }
        log.info('model thread is back');
      } catch (error) {
        const retryInMs = backoff.next();
        log.error({ err: error, retryInMs }, 'model thread could not be started');
        await delay(retryInMs);
      }
    }
    clearTimeout(deadline);
  };

  adopt(await open());
  return {
    get current() {
      return current;
    },
    get overdue() {
      return overdue;
    },
    letGo() {
      isLetGo = true;
    },
    async close() {
      const last = current;
      current = null;
      await last?.close();
    },
  };
}
