import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { assignPorts, isFree } from './ports.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ports-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('gives each name the port it had before, another one only where somebody took it, and forgets none', async () => {
  const file = join(directory, 'ports.json');
  const first = await assignPorts(file, ['a', 'b', 'c']);
  expect(new Set(Object.values(first)).size).toBe(3);
  expect(await assignPorts(file, ['a'])).toEqual({ a: first['a'] });

  const taken = first['b'] as number;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
  expect(await isFree(taken)).toBe(false);
  const second = await assignPorts(file, ['a', 'b', 'c']);
  expect(second).toEqual({ a: first['a'], b: expect.any(Number) as number, c: first['c'] });
  expect(second['b']).not.toBe(taken);
  await new Promise((resolve) => server.close(resolve));
});
