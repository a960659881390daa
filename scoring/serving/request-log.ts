import { pino, type Logger } from 'pino';

/** What is said of a request: never what was in it. */
export interface RequestLine {
  request_id: string;
  /** of the caller's trace, if it has one */
  trace_id?: string;
  /** transactions */
  entity_count: number;
  duration_ms: number;
  status: number;
  bundle_version: string | null;
  thresholds_sha256: string | null;
}

/** One JSON line per request, or per so many of them; written in the background. */
export interface RequestLog {
  /** whether this one is to be told */
  readonly takesNext: () => boolean;
  write(line: RequestLine): void;
  close(): void;
}

/** lines are gathered up to this size, and written at the latest after so long */
const GATHERED_BYTES = 8 * 1024;
const FLUSH_MS = 1_000;

/**
 * @param share of the requests that are told, evenly: 1 all, 0 none
 * @param level of the scorer's log: requests are told at `info`
 */
export function createRequestLog(share: number, level: string, destination = gathering()): RequestLog {
  const log: Logger = pino({ name: 'scorer', level }, destination);
  const isOn = share > 0 && log.isLevelEnabled('info');
  let due = 0;
  return {
    takesNext() {
      if (!isOn) return false;
      due += share;
      if (due < 1) return false;
      due -= 1;
      return true;
    },
    write: (line) => log.info(line, 'request'),
    close: () => destination.flushSync(),
  };
}

function gathering(): ReturnType<typeof pino.destination> {
  return pino.destination({ dest: 1, sync: false, minLength: GATHERED_BYTES, periodicFlush: FLUSH_MS });
}
