/** Where commands write: one JSON document with `--json`, text for people otherwise. Errors go to standard error. */
export interface Output {
  readonly json: boolean;
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
}): Output {
  const { json, stdout, stderr } = options;
  return {
    json,
    tty: !json && stdout.isTTY === true,
    line: (text = '') => {
      if (!json) stdout.write(text + '\n');
    },
    result: (value, text) => {
      const written = json ? JSON.stringify(value) : text();
      if (written !== '') stdout.write(written + '\n');
    },
    error: (text) => stderr.write(text + '\n'),
  };
}

/** `1m 04s`, `12.3s`, `80ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  return `${Math.floor(ms / 60_000)}m ${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')}s`;
}
