import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';

/** Rounds of one kind, each told when it ends, and a cause of failure once however often it comes in a row. */
export interface ToldRounds<T> {
  run(): Promise<T>;
  /** why the last round failed; null when it did not */
  error(): string | null;
}

export interface Told<Outcome> {
  onRound: (outcome: Outcome | 'failed', seconds: number) => void;
  log: Pick<Logger, 'info' | 'error'>;
  /** for the log: that rounds fail, and that they go well again */
  texts: { failed: string; well: string };
}

export function createToldRounds<Outcome extends string, T extends { outcome: Outcome }>(
  round: () => Promise<T>,
  { onRound, log, texts }: Told<T['outcome']>,
): ToldRounds<T> {
  let error: string | null = null;
  return {
    async run() {
      const startedAtMs = performance.now();
      const seconds = (): number => (performance.now() - startedAtMs) / 1000;
      try {
        const result = await round();
        onRound(result.outcome, seconds());
        if (error !== null) log.info(texts.well);
        error = null;
        return result;
      } catch (failure) {
        onRound('failed', seconds());
        const message = failure instanceof Error ? failure.message : String(failure);
        if (error !== message) log.error({ err: failure }, texts.failed);
        error = message;
        throw failure;
      }
    },
    error: () => error,
  };
}
