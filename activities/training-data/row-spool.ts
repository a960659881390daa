import type { RowChunk } from '../../domain/columns/row-chunk.js';
import type { Spool } from './spool.js';

/** A chunk that lies in a spool: where, and how it is to be read. */
export interface WrittenChunk {
  offset: number;
  rows: number;
  firstPosition: number;
  /** by field: how many different texts, and how many bytes they have */
  texts: readonly ({ size: number; bytes: number } | null)[];
  /** by odd row: which one, and how many bytes it has; a pair each, since all may be odd */
  odd: Int32Array;
}

/** Chunks of rows in a spool, so that MongoDB is read once and its rows are gone through again: 60 bytes a row of the demo's. */
export class RowSpool {
  readonly #written: WrittenChunk[];

  /** @param written what the spool holds already */
  constructor(
    private readonly spool: Spool,
    written: readonly WrittenChunk[] = [],
  ) {
    this.#written = [...written];
  }

  get chunks(): readonly WrittenChunk[] {
    return this.#written;
  }

  get path(): string {
    return this.spool.path;
  }

  get rows(): number {
    const last = this.#written[this.#written.length - 1];
    return last === undefined ? 0 : last.firstPosition + last.rows;
  }

  async write(chunk: RowChunk): Promise<void> {
    const texts = chunk.texts.map((column) =>
      column === null ? null : { size: column.size, bytes: column.bytes.length },
    );
    const odd = [...chunk.odd];
    const offset = await this.spool.append([
      ...columnsOf(chunk, (slot) => texts[slot]?.bytes ?? 0),
      // In one piece: a system takes about a thousand pieces at a time.
      Buffer.concat(odd.map(([, { bytes }]) => bytes)),
    ]);
    const { rows, firstPosition } = chunk;
    const pairs = Int32Array.from(odd.flatMap(([row, { bytes }]) => [row, bytes.length]));
    this.#written.push({ offset, rows, firstPosition, texts, odd: pairs });
  }

  /** Fills the chunk with one that was written, by its number from 0; nothing can be added to it. */
  async read(index: number, chunk: RowChunk): Promise<void> {
    const written = this.#written[index];
    if (written === undefined) throw new RangeError(`there are ${this.chunks.length} chunks, and none is ${index}`);
    const { odd, texts } = written;
    chunk.clear(written.firstPosition);
    chunk.rows = written.rows;
    for (const [slot, column] of chunk.texts.entries()) column?.makeRoom(texts[slot]?.size ?? 0);
    let length = 0;
    for (let at = 0; at < odd.length; at += 2) length += odd[at + 1] ?? 0;
    const oddBytes = Buffer.alloc(length);
    const columns = columnsOf(chunk, (slot) => texts[slot]?.bytes ?? 0);
    await this.spool.fill([...columns, oddBytes], written.offset);
    if (length === 0) return;
    // Loaded for odd rows only: the thread that hashes starts without MongoDB's driver, which takes a quarter of a second.
    const { decodeRow } = await import('../../stores/transactions/decode-row.js');
    let start = 0;
    for (let at = 0; at < odd.length; at += 2) {
      const bytes = oddBytes.subarray(start, (start += odd[at + 1] ?? 0));
      chunk.odd.set(odd[at] ?? 0, { bytes, document: decodeRow(bytes) });
    }
  }
}

/** The event time of a row, by its position. */
export async function timeAt(spool: RowSpool, chunk: RowChunk, field: string, position: number): Promise<number> {
  await spool.read(Math.floor(position / chunk.capacity), chunk);
  return chunk.numbersOf(field)[position - chunk.firstPosition] ?? NaN;
}

/** What there is of a chunk's columns in memory, in the order in which it lies in the file. */
function columnsOf(chunk: RowChunk, bytesOf: (slot: number) => number): NodeJS.ArrayBufferView[] {
  return chunk.fields.flatMap((_, slot): NodeJS.ArrayBufferView[] => {
    const column = chunk.texts[slot] ?? null;
    if (column === null) return [(chunk.numbers[slot] ?? new Float64Array()).subarray(0, chunk.rows)];
    return [column.ids.subarray(0, chunk.rows), column.starts.subarray(0, column.size + 1), column.room(bytesOf(slot))];
  });
}

export interface PassOptions {
  /** stops between chunks */
  signal?: AbortSignal | undefined;
  onProgress: (fraction: number) => void;
}

/** Reads one chunk of a spool after the other. */
export async function eachChunk(
  spool: RowSpool,
  chunk: RowChunk,
  each: () => Promise<void> | void,
  { signal, onProgress }: PassOptions,
): Promise<void> {
  for (let index = 0; index < spool.chunks.length; index++) {
    signal?.throwIfAborted();
    await spool.read(index, chunk);
    await each();
    onProgress((index + 1) / spool.chunks.length);
  }
}
