import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { SluiceError } from '../../../platform/errors.js';

/** One quote that is never closed would swallow the rest of the file; a record this long ends it. */
const MAX_RECORD_BYTES = 64 * 1024;

/** A record with the line on which it ends, or one that cannot be parsed, with the reason. */
export type CsvRecord = { line: number; values: string[] } | { line: number; malformed: string };

export interface CsvFile {
  header: string[];
  records: AsyncIterable<CsvRecord>;
  /** share of the file's bytes that have been read */
  fraction(): number;
}

/**
 * Streams a CSV (RFC 4180, UTF-8, gzip by its first bytes) whose first record is a header.
 * @throws SluiceError NotFound or InvalidInput, naming the file
 */
export async function openCsv(path: string): Promise<CsvFile> {
  const { size, gzipped } = await inspect(path);
  const source = createReadStream(path);
  const text: Readable = gzipped ? source.pipe(createGunzip()) : source;
  const skipped: CsvRecord[] = [];
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error !== undefined) skipped.push({ line: Number(error['lines'] ?? 0), malformed: malformed(error.code) });
      return undefined;
    },
  });
  // A stream that fails does not end the streams it is piped into.
  source.on('error', (error) => text.destroy(error));
  text.on('error', (error) => parser.destroy(error));
  text.pipe(parser);

  const iterator = parser[Symbol.asyncIterator]() as AsyncIterator<{ record: string[]; info: { lines: number } }>;
  let line = 0;
  const next = async () => {
    try {
      return await iterator.next();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const where = line === 0 ? '' : ` after line ${line}`;
      throw new SluiceError(
        'InvalidInput',
        `${path} cannot be read${where}: ${message} (${code ?? 'no code'}). Rows before it were imported; mend the file and import it again.`,
      );
    }
  };
  const first = await next();
  if (first.done === true) throw new SluiceError('InvalidInput', `${path} is empty: it must begin with a header`);
  line = first.value.info.lines;

  async function* records(): AsyncGenerator<CsvRecord> {
    try {
      for (let one = await next(); one.done !== true; one = await next()) {
        yield* skipped.splice(0);
        line = one.value.info.lines;
        yield { line, values: one.value.record };
      }
      yield* skipped.splice(0);
    } finally {
      source.destroy();
      parser.destroy();
    }
  }
  return {
    header: first.value.record,
    records: records(),
    fraction: () => (size === 0 ? 1 : source.bytesRead / size),
  };
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
      'NotFound',
      `${path} cannot be opened: ${code === 'ENOENT' ? 'there is no such file' : code}`,
    );
  }
}

function malformed(code: string | undefined): string {
  const why: Record<string, string> = {
    CSV_MAX_RECORD_SIZE: 'a record longer than 64 KB: probably a quote that is never closed',
    CSV_QUOTE_NOT_CLOSED: 'a quote that is never closed',
    INVALID_OPENING_QUOTE: 'a quote inside an unquoted field',
    CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
  };
  return `malformed CSV: ${why[code ?? ''] ?? code ?? 'unknown'}`;
}
