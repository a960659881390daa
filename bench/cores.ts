import { cpus } from 'node:os';

/** CPUs as `taskset` takes them, for example `0` or `0,2-3`: of what is measured, of the load generator, and of databases and other servers. */
export interface Cores {
  server: string;
  load: string;
  others: string;
}

/** Where there are only two, a database shares the load generator's. */
export const DEFAULT_CORES = cpus().length > 2 ? '0:1:2' : '0:1:1';

/** `0:1:2` → a core each; null when it is something else */
export function coresOf(text: string): Cores | null {
  const parts = text.split(':');
  const [server = '', load = '', others = ''] = parts;
  return parts.length === 3 && parts.every((part) => /^\d+([,-]\d+)*$/.test(part)) ? { server, load, others } : null;
}
