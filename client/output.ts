import { withoutCredentials } from '../platform/credentials.js';

/** Where commands write: one JSON document with `--json`, text for people otherwise. Errors go to standard error. */
export interface Output {
  readonly json: boolean;
  /** whether lines that were written can be written over */
  readonly tty: boolean;
  /** a line for people; nothing with `--json` */
  line(text?: string): void;
  /** the command's result: JSON with `--json`, else what `text` makes of it */
  result(value: unknown, text: () => string): void;
  error(text: string): void;
}

export function createOutput(options: {
  json: boolean;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** a terminal without cursor movements */
  dumb: boolean;
}): Output {
  const { json, stdout, stderr, dumb } = options;
  return {
    json,
    tty: !json && stdout.isTTY === true && !dumb,
    line: (text = '') => {
      if (!json) stdout.write(withoutCredentials(text) + '\n');
    },
    result: (value, text) => {
      const written = json ? JSON.stringify(value) : text();
      if (written !== '') stdout.write(withoutCredentials(written) + '\n');
    },
    error: (text) => stderr.write(withoutCredentials(text) + '\n'),
  };
}

/** `1m 04s`, `12.3s`, `80ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  return `${Math.floor(ms / 60_000)}m ${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')}s`;
}

/** `1,234` */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** `1 row`, `1,234 rows` */
export function rowsOf(rows: number): string {
  return counted(rows, 'row');
}

/** `1 label`, `1,234 labels` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
