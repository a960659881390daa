import { describe, expect, it } from 'vitest';
import type { Settings } from '../../platform/config.js';
import { SluiceError } from '../../platform/errors.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { createOutput } from '../output.js';
import { importExitCode, runImport } from './run-import.js';

describe('the exit code of an import', () => {
  const refused = (count: number, read = 10) => ({ read, refused: { count, reasons: {}, examples: [] } });
  it.each([
    [refused(0), undefined, EXIT.ok],
    [refused(9), undefined, EXIT.ok],
    [refused(10), undefined, EXIT.usage],
    [refused(0, 0), undefined, EXIT.ok],
    [refused(1), 0, EXIT.usage],
    [refused(0), 0, EXIT.ok],
    [refused(3), 3, EXIT.ok],
    [refused(4), 3, EXIT.usage],
  ])('%j, at most %j: %d', (summary, max, code) => {
    expect(importExitCode(summary, max)).toBe(code);
  });
});

it('an import that fails says first how many rows were imported', async () => {
  let err = '';
  const stream = { write: (text: string) => void (err += text) } as unknown as NodeJS.WriteStream;
  const cli = {
    output: createOutput({ json: true, stdout: stream, stderr: stream, dumb: false }),
    interrupted: new AbortController().signal,
    onInterrupt: () => undefined,
    withSettings: (work: (settings: Settings) => Promise<number>) => work({} as Settings),
  } as unknown as Cli;
  const failing = runImport(
    cli,
    () => Promise.resolve({ close: () => Promise.resolve() }),
    (_open, optionsFor) => {
      optionsFor(1).onProgress({ read: 9, inserted: 5, updated: 1, unchanged: 1, refused: 2 });
      return Promise.reject(new SluiceError('Unreachable', 'gone'));
    },
  );
  await expect(failing).rejects.toMatchObject({ type: 'Unreachable' });
  expect(err).toBe(
    '7 rows were imported before this (5 new, 1 updated, 1 unchanged); importing the file again goes on from there\n',
  );
});
