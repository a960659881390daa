import { createHash } from 'node:crypto';
import type { RowChunk } from '../../domain/columns/row-chunk.js';
import { NO_TEXT, type TextColumn } from '../../domain/columns/text-column.js';
import { TextWriter } from '../../domain/columns/text-writer.js';

const BYTE = { newLine: 0x0a, colon: 0x3a, semicolon: 0x3b, n: 0x6e, s: 0x73, t: 0x74 } as const;

/** SHA-256 over a header and every row as one unambiguous text, see `rowLine`. The snapshot's id is made from it, so it never changes. */
export class ContentHash {
  readonly #hash = createHash('sha256');
  readonly #lines = new TextWriter();
  /** the texts of one chunk's fields as they stand in lines */
  readonly #tokens = new Map<number, Tokens>();

  constructor(header: string) {
    this.#hash.update(header);
  }

  addRows(chunk: RowChunk): void {
    const lines = this.#lines;
    lines.clear();
    const names = chunk.fields.map(({ name }) => name);
    const columns = chunk.fields.map(({ type }, slot): LineColumn => {
      const texts = chunk.texts[slot] ?? null;
      if (texts !== null) return { ...this.#tokensOf(slot).fill(texts), ids: texts.ids, values: null, mark: BYTE.s };
      const mark = type === 'time' ? BYTE.t : BYTE.n;
      return { ...NO_TOKENS, values: chunk.numbers[slot] ?? new Float64Array(), mark };
    });
    for (let row = 0; row < chunk.rows; row++) {
      const odd = chunk.odd.size === 0 ? undefined : chunk.odd.get(row);
      if (odd !== undefined) {
        lines.text(rowLine(odd.document, names));
        continue;
      }
      for (const column of columns) {
        if (column.values !== null) {
          lines.byte(column.mark);
          lines.number(column.values[row] ?? NaN);
          lines.byte(BYTE.semicolon);
        } else {
          const id = column.ids[row] ?? NO_TEXT;
          lines.copy(column.bytes, column.starts[id] ?? 0, column.starts[id + 1] ?? 0);
        }
      }
      lines.byte(BYTE.newLine);
    }
    this.#hash.update(lines.written());
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  #tokensOf(slot: number): Tokens {
    const known = this.#tokens.get(slot) ?? new Tokens();
    this.#tokens.set(slot, known);
    return known;
  }
}

/** A column as it goes into lines: numbers behind a mark, or for each row the number of a token. */
interface LineColumn extends TokenBytes {
  values: Float64Array | null;
  mark: number;
  ids: Int32Array;
}

interface TokenBytes {
  bytes: Uint8Array;
  starts: Uint32Array;
}

const NO_TOKENS = { bytes: new Uint8Array(), starts: new Uint32Array(), ids: new Int32Array() };

/** `s{length}:{text}` of each text of a column, one after another. */
class Tokens {
  readonly #writer = new TextWriter();
  #starts = new Uint32Array(0);

  fill(column: TextColumn): TokenBytes {
    const writer = this.#writer;
    writer.clear();
    if (this.#starts.length <= column.size) this.#starts = new Uint32Array(column.size + 1);
    const { bytes, starts } = column;
    for (let id = 0; id < column.size; id++) {
      const [from, to] = [starts[id] ?? 0, starts[id + 1] ?? 0];
      writer.byte(BYTE.s);
      if (isAscii(bytes, from, to)) {
        writer.number(to - from);
        writer.byte(BYTE.colon);
        writer.copy(bytes, from, to);
      } else {
        const text = column.textOf(id);
        writer.number(text.length);
        writer.byte(BYTE.colon);
        writer.text(text);
      }
      this.#starts[id + 1] = writer.length;
    }
    return { bytes: writer.written(), starts: this.#starts };
  }
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] ?? 0) > 0x7f) return false;
  return true;
}

/** A row as one unambiguous text: each value with its type and, for texts, its length, in the order of the fields. */
export function rowLine(row: Readonly<Record<string, unknown>>, fields: readonly string[]): string {
  let line = '';
  for (const name of fields) {
    const value = row[name];
    if (typeof value === 'string') line += `s${value.length}:${value}`;
    else if (typeof value === 'number') line += `n${value};`;
    else if (value instanceof Date) line += `t${value.getTime()};`;
    else if (value === null || value === undefined) line += '-';
    else line += `j${JSON.stringify(value)};`;
  }
  return line + '\n';
}
