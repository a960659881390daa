import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { SluiceError } from '../platform/errors.js';
import { linesOf, type Line } from './lines.js';

/** A record with its line, or one that cannot be parsed, with the reason. */
export type CsvRecord = { line: number; values: string[] } | { line: number; malformed: string };

export interface CsvFile {
  header: string[];
  /** as they come: many at a time */
  records: AsyncIterable<CsvRecord[]>;
  /** share of the file's bytes that have been read */
  fraction(): number;
}

/**
 * Streams a CSV (UTF-8, gzip by its first bytes) whose first line is a header. A record is a line: a quoted field may hold commas and quotes but no
 * line end. That way a quote that is never closed costs its own row and not all that follow.
 * @throws SluiceError NotFound or InvalidInput, naming the file
 */
export async function openCsv(path: string): Promise<CsvFile> {
  const { size, gzipped } = await inspect(path);
  const source = createReadStream(path);
  const text: Readable = gzipped ? source.pipe(createGunzip()) : source;
  // A stream that fails does not end the stream it is piped into.
  source.on('error', (error) => text.destroy(error));
  const batches = linesOf(text);
  let lastLine = 0;
  const next = async (): Promise<Line[] | null> => {
    try {
      const batch = await batches.next();
      if (batch.done === true) return null;
      lastLine = batch.value[batch.value.length - 1]?.number ?? lastLine;
      return batch.value;
    } catch (error) {
      const where = lastLine === 0 ? '' : ` after line ${lastLine}`;
      throw new SluiceError(
        'InvalidInput',
        `${path} cannot be read${where}: ${(error as Error).message}. Rows before it were imported; mend the file and import it again.`,
      );
    }
  };
  const close = (): void => {
    source.destroy();
    text.destroy();
  };

  const first = (await next()) ?? [];
  const [header, ...rest] = recordsOf(first);
  if (header === undefined || 'malformed' in header) {
    close();
    const why = header === undefined ? 'is empty' : `has no header that can be read: ${header.malformed}`;
    throw new SluiceError('InvalidInput', `${path} ${why}. Nothing was changed.`);
  }
  // A byte order mark belongs to the file and not to the name of its first column.
  const names = header.values.map((name, index) => (index === 0 ? name.replace(/^\uFEFF/, '') : name));

  async function* records(): AsyncGenerator<CsvRecord[]> {
    try {
      yield rest;
      for (let batch = await next(); batch !== null; batch = await next()) yield recordsOf(batch);
    } finally {
      close();
    }
  }
  return { header: names, records: records(), fraction: () => (size === 0 ? 1 : source.bytesRead / size) };
}

function recordsOf(lines: readonly Line[]): CsvRecord[] {
  const quoted = lines.flatMap(({ text }) => (text?.includes('"') ? [text] : []));
  const parsed = parseTogether(quoted);
  let nextQuoted = 0;
  return lines.flatMap(({ number, text }): CsvRecord[] => {
    if (text === '') return [];
    if (text === null) return [{ line: number, malformed: 'malformed CSV: a line of more than 64 KB' }];
    if (!text.includes('"')) return [{ line: number, values: text.split(',') }];
    const values = parsed?.[nextQuoted++];
    return [values === undefined ? parseAlone(number, text) : { line: number, values }];
  });
}

const CSV = { bom: true, record_delimiter: '\n', relax_column_count: true };

/** Lines with quotes in one call, as starting the parser costs more than a line; null when they are not one record each. */
function parseTogether(lines: readonly string[]): string[][] | null {
  try {
    const records = parse(lines.join('\n'), CSV);
    return records.length === lines.length ? records : null;
  } catch {
    return null;
  }
}

/** A line by itself, so that what is wrong with it is known and concerns no other. */
function parseAlone(line: number, text: string): CsvRecord {
  try {
    const [values = []] = parse(text, CSV);
    return { line, values };
  } catch (error) {
    return { line, malformed: malformed((error as { code?: string }).code) };
  }
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
    CSV_QUOTE_NOT_CLOSED: 'a quote that is not closed on its line',
    INVALID_OPENING_QUOTE: 'a quote inside an unquoted field',
    CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
  };
  return `malformed CSV: ${why[code ?? ''] ?? code ?? 'unknown'}`;
}
