import { randomBytes } from 'node:crypto';

/** A readable id nobody has to think of: the time, and four random digits. */
export function newRunId(now = new Date()): string {
  const time = now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '-');
  return `${time}-${randomBytes(2).toString('hex')}`;
}
