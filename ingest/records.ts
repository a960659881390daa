import { parse } from 'csv-parse/sync';
import { MAX_LINE_BYTES, type Line } from './lines.js';

/** A record with the line on which it begins, or a line that cannot be parsed, with the reason. */
export type CsvRecord = { line: number; values: string[] } | { line: number; malformed: string };

/**
 * The records of these lines by RFC 4180: a quoted field may hold commas, quotes (doubled) and line breaks. A quote that is never closed costs its own line
 * and not all that follow: a record of several lines counts only if it can be parsed, has as many columns as the header and is no longer than a line may be.
 * @param width columns of the header; null while it is still to come: then the first record is the header
 * @param ended whether no line follows
 * @returns `undecided`: the lines from the first one whose record may go on in lines to come; `width` for the next call
 */
export function recordsOf(
  lines: readonly Line[],
  width: number | null,
  ended: boolean,
): { records: CsvRecord[]; undecided: Line[]; width: number | null } {
  const { records, ...state } = split(lines, width, ended);
  const together = parseTogether(records.flatMap((one) => ('quoted' in one ? [one.quoted] : [])));
  let next = 0;
  return {
    records: records.map((one): CsvRecord => {
      if (!('quoted' in one)) return one;
      const values = together?.[next++];
      return values === undefined ? parseAlone(one.line, one.quoted) : { line: one.line, values };
    }),
    ...state,
  };
}

/** As `recordsOf`, with lines that hold balanced quotes still to be parsed. */
function split(
  lines: readonly Line[],
  width: number | null,
  ended: boolean,
): { records: (CsvRecord | { line: number; quoted: string })[]; undecided: Line[]; width: number | null } {
  const records: (CsvRecord | { line: number; quoted: string })[] = [];
  const push = (record: CsvRecord): void => {
    width ??= 'values' in record ? record.values.length : null;
    records.push(record);
  };
  for (let at = 0; at < lines.length; at += 1) {
    const { number: line, text, problem = '' } = lines[at] as Line;
    if (text === null) {
      push({ line, malformed: `malformed CSV: ${problem}` });
    } else if (!text.includes('"')) {
      const row = withoutReturn(text);
      if (row !== '') push({ line, values: row.split(',') });
    } else if (!isOpen(text)) {
      if (width === null) push(parseAlone(line, withoutReturn(text)));
      else records.push({ line, quoted: withoutReturn(text) });
    } else {
      const found = joined(lines, at, width);
      if (found === 'goes on' && !ended) return { records, undecided: lines.slice(at), width };
      if (found === null || found === 'goes on') {
        push(parseAlone(line, withoutReturn(text)));
      } else {
        push({ line, values: found.values });
        at += found.lines - 1;
      }
    }
  }
  return { records, undecided: [], width };
}

/** The record that begins on a line with an open quote; null where none does, `goes on` where the lines end before it. */
function joined(
  lines: readonly Line[],
  from: number,
  width: number | null,
): { values: string[]; lines: number } | null | 'goes on' {
  let record = lines[from]?.text ?? '';
  let open = true;
  let at = from + 1;
  for (; open && at < lines.length; at += 1) {
    const text = lines[at]?.text ?? null;
    if (text === null) return null;
    record += `\n${text}`;
    if (Buffer.byteLength(record) > MAX_LINE_BYTES) return null;
    if (isOpen(text)) open = false;
  }
  if (open) return 'goes on';
  const found = parseAlone(0, withoutReturn(record));
  return 'values' in found && (width === null || found.values.length === width)
    ? { values: found.values, lines: at - from }
    : null;
}

/** Whether a line that begins outside of quotes ends inside of them, or the reverse: as quotes within quotes are doubled, their number tells. */
function isOpen(text: string): boolean {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  return quotes % 2 === 1;
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

const CSV = { record_delimiter: '\n', relax_column_count: true };

/** Lines with quotes in one call, as starting the parser costs more than a line; null when they are not one record each. */
function parseTogether(lines: readonly string[]): string[][] | null {
  try {
    const records = parse(lines.join('\n'), CSV);
    return records.length === lines.length ? records : null;
  } catch {
    return null;
  }
}

/** A record by itself, so that what is wrong with it is known and concerns no other. */
function parseAlone(line: number, text: string): CsvRecord {
  try {
    const [values = []] = parse(text, CSV);
    return { line, values };
  } catch (error) {
    return { line, malformed: malformed((error as { code?: string }).code) };
  }
}

function malformed(code: string | undefined): string {
  const why: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote that is not closed',
    INVALID_OPENING_QUOTE: 'a quote inside an unquoted field',
    CSV_INVALID_CLOSING_QUOTE: 'text after a closing quote',
  };
  return `malformed CSV: ${why[code ?? ''] ?? code ?? 'unknown'}`;
}
