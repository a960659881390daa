import type { RowChunk } from '../../domain/columns/row-chunk.js';
import { NO_TEXT } from '../../domain/columns/text-column.js';
import { TextWriter } from '../../domain/columns/text-writer.js';
import type { RequestFields } from '../../domain/features/check.js';
import type { ColumnValues, TextBytes } from './parquet/columns.js';

const DAY_MS = 86_400_000;

/** The request's fields as the table holds them: times as ISO text, null for what is absent or of another type. */
export function rawColumns(chunk: RowChunk, request: RequestFields): ColumnValues[] {
  return [...request].map(([name, type]): ColumnValues => {
    if (type === 'number') return { numbers: chunk.numbersOf(name).subarray(0, chunk.rows) };
    if (type === 'time') return isoTimes(chunk, name);
    const texts = chunk.textsOf(name);
    return { texts, ids: texts.ids.subarray(0, chunk.rows) };
  });
}

/** The values of some rows, in their order. */
export function picked(values: ColumnValues, rows: Int32Array): ColumnValues {
  if ('texts' in values)
    return values.ids.length === rows.length
      ? values
      : { texts: values.texts, ids: Int32Array.from(rows, (row) => values.ids[row] ?? NO_TEXT) };
  const { numbers } = values;
  if (numbers.length === rows.length) return values;
  const some = numbers.slice(0, rows.length);
  rows.forEach((row, at) => (some[at] = numbers[row] ?? NaN));
  return { numbers: some };
}

/** Texts as columns hold them. */
export function textsOf(texts: readonly string[]): TextBytes {
  const writer = new TextWriter();
  const starts = new Uint32Array(texts.length + 1);
  for (const [id, text] of texts.entries()) {
    writer.text(text);
    starts[id + 1] = writer.length;
  }
  return { bytes: writer.written(), starts, size: texts.length };
}

function isoTimes(chunk: RowChunk, name: string): ColumnValues {
  const times = chunk.numbersOf(name);
  const writer = new TextWriter();
  const starts = new Uint32Array(chunk.rows + 1);
  const ids = new Int32Array(chunk.rows);
  let today = NaN;
  let day = Buffer.alloc(0);
  for (let row = 0; row < chunk.rows; row++) {
    const time = times[row] ?? NaN;
    const stored = chunk.odd.size === 0 ? undefined : chunk.odd.get(row)?.document[name];
    ids[row] = row;
    if (typeof stored === 'string') writer.text(stored);
    else if (Number.isNaN(time)) ids[row] = NO_TEXT;
    else {
      const start = Math.floor(time / DAY_MS) * DAY_MS;
      if (start !== today) {
        today = start;
        const iso = new Date(start).toISOString();
        day = Buffer.from(iso.slice(0, iso.indexOf('T') + 1));
      }
      writer.copy(day, 0, day.length);
      writeTimeOfDay(writer, time - start);
    }
    starts[row + 1] = writer.length;
  }
  return { texts: { bytes: writer.written(), starts, size: chunk.rows }, ids };
}

/** `hh:mm:ss.sssZ` */
function writeTimeOfDay(writer: TextWriter, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  writer.padded(Math.floor(minutes / 60), 2);
  writer.byte(0x3a);
  writer.padded(minutes % 60, 2);
  writer.byte(0x3a);
  writer.padded(seconds % 60, 2);
  writer.byte(0x2e);
  writer.padded(ms - seconds * 1000, 3);
  writer.byte(0x5a);
}
