import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SluiceError } from '../platform/errors.js';
import { linesOf, type Line } from './lines.js';
import { recordsOf, type CsvRecord } from './records.js';

export interface CsvFile {
  header: string[];
  /** as they come: many at a time */
  records: AsyncIterable<CsvRecord[]>;
  /** share of the file's bytes that have been read */
  fraction(): number;
}

/** A file that turned out to be damaged after rows of it had been read. */
export class UnreadableFile extends SluiceError {}

/**
 * Streams a CSV (UTF-8, gzip by its first bytes) whose first record is the header.
 * @throws SluiceError InvalidInput, naming the file; while it is read, UnreadableFile
 */
export async function openCsv(path: string): Promise<CsvFile> {
  const { size, gzipped } = await inspect(path);
  const source = createReadStream(path);
  const bytes: Readable = gzipped ? source.pipe(createGunzip()) : source;
  // A stream that fails does not end the stream it is piped into.
  source.on('error', (error) => bytes.destroy(error));
  const close = (): void => {
    source.destroy();
    bytes.destroy();
  };
  const batches = batchesOf(bytes, path);
  try {
    const { header, rest } = await readHeader(batches, path);
    checkHeader(header, path, gzipped);
    return {
      header,
      records: recordsAfter(rest, batches, close),
      fraction: () => (size === 0 ? 1 : source.bytesRead / size),
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function* batchesOf(bytes: Readable, path: string): AsyncGenerator<CsvRecord[]> {
  let lastLine = 0;
  let undecided: Line[] = [];
  let width: number | null = null;
  const decide = (lines: readonly Line[], ended: boolean): CsvRecord[] => {
    const found = recordsOf(lines, width, ended);
    ({ undecided, width } = found);
    return found.records;
  };
  try {
    for await (const lines of linesOf(bytes)) {
      lastLine = lines.at(-1)?.number ?? lastLine;
      yield decide([...undecided, ...lines], false);
    }
  } catch (error) {
    const where = lastLine === 0 ? '' : ` after line ${lastLine}`;
    throw new UnreadableFile('InvalidInput', `${path} cannot be read${where}: ${(error as Error).message}`);
  }
  yield decide(undecided, true);
}

async function readHeader(
  batches: AsyncGenerator<CsvRecord[]>,
  path: string,
): Promise<{ header: string[]; rest: CsvRecord[] }> {
  for (let batch = await batches.next(); batch.done !== true; batch = await batches.next()) {
    const [first, ...rest] = batch.value;
    if (first === undefined) continue;
    if ('malformed' in first) throw unusable(path, `has no header that can be read: ${first.malformed}`);
    return { header: first.values, rest };
  }
  throw unusable(path, 'is empty');
}

async function* recordsAfter(
  rest: CsvRecord[],
  batches: AsyncGenerator<CsvRecord[]>,
  close: () => void,
): AsyncGenerator<CsvRecord[]> {
  try {
    yield rest;
    yield* batches;
  } finally {
    close();
  }
}

/** What a file is that is no CSV of ours, as far as its first line tells. */
function checkHeader(header: readonly string[], path: string, gzipped: boolean): void {
  const [only = ''] = header;
  if (header.some((name) => name.includes('\0')))
    throw unusable(path, 'is no UTF-8 text: it looks like UTF-16, or like no text at all');
  if (header.length > 1) return;
  if (path.endsWith('.gz') && !gzipped) throw unusable(path, 'is named .gz, but is not gzip');
  for (const [separator, name] of SEPARATORS)
    if (only.includes(separator)) throw unusable(path, `separates its columns with ${name}: write it with commas`);
}

const SEPARATORS = [
  [';', 'semicolons'],
  ['\t', 'tabs'],
  ['|', 'vertical bars'],
] as const;

function unusable(path: string, why: string): SluiceError {
  return new SluiceError('InvalidInput', `${path} ${why}. Nothing was changed.`);
}

async function inspect(path: string): Promise<{ size: number; gzipped: boolean }> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return { size, gzipped: bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SluiceError(
      'InvalidInput',
      `${path} cannot be opened: ${code === 'ENOENT' ? 'there is no such file' : code}`,
    );
  }
}
