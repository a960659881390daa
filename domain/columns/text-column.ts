/** The number of a text that is not there. */
export const NO_TEXT = -1;

const LEAST_SLOTS = 512;

/**
 * The texts of one field in a few thousand rows: each different one once, as UTF-8, numbered from 0 in the order in which they came, and for each
 * row its number. A text is decoded when somebody asks for it, once.
 */
export class TextColumn {
  /** by row: the number of its text, `NO_TEXT` for none */
  readonly ids: Int32Array<ArrayBuffer>;
  /** by number: where in `bytes` the text begins; the next one's beginning is its end */
  readonly starts: Uint32Array<ArrayBuffer>;
  #bytes = Buffer.allocUnsafe(4096);
  #size = 0;
  /** open addressing by hash: number + 1, 0 where free; at most half full */
  readonly #slots: Uint32Array<ArrayBuffer>;
  #texts: (string | undefined)[] = [];

  /**
   * @param capacity how many rows it has room for
   * @param areUnique every row is known to have another text, so that none is looked for
   */
  constructor(
    capacity: number,
    private readonly areUnique = false,
  ) {
    this.ids = new Int32Array(capacity);
    // A row that turns out odd half way may leave a second text behind.
    const most = capacity * 2;
    this.starts = new Uint32Array(most + 1);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(most * 2, LEAST_SLOTS))));
  }

  /** how many different texts there are */
  get size(): number {
    return this.#size;
  }

  /** all texts, one after another; a view that the next text may replace */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.starts[this.#size]);
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
    this.#texts = [];
  }

  textOf(id: number): string {
    return (this.#texts[id] ??= this.#bytes.toString('utf8', this.starts[id], this.starts[id + 1]));
  }

  /** The number of the text that lies at a place of some bytes. */
  idOf(source: Uint8Array, from: number, length: number): number {
    if (this.areUnique) return this.#add(source, from, length);
    const slots = this.#slots;
    const starts = this.starts;
    const bytes = this.#bytes;
    const mask = slots.length - 1;
    let hash = 0x811c9dc5 ^ length;
    const end = from + length;
    for (let i = from; i < end; i++) hash = Math.imul(hash ^ (source[i] ?? 0), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & mask;
    search: for (; ; slot = (slot + 1) & mask) {
      const id = (slots[slot] ?? 0) - 1;
      if (id < 0) break;
      const start = starts[id] ?? 0;
      if ((starts[id + 1] ?? 0) - start !== length) continue;
      for (let i = 0; i < length; i++) if (bytes[start + i] !== source[from + i]) continue search;
      return id;
    }
    slots[slot] = this.#size + 1;
    return this.#add(source, from, length);
  }

  /** Prepares the column for texts that were written down and are read again into `starts` and `room`; nothing can be added to them. */
  makeRoom(size: number): void {
    this.#size = size;
    this.#texts = [];
  }

  /** Where the texts lie, or will lie, that have so many bytes. */
  room(bytes: number): Buffer {
    if (this.#bytes.length < bytes) this.#bytes = Buffer.allocUnsafe(bytes);
    return this.#bytes.subarray(0, bytes);
  }

  #add(source: Uint8Array, from: number, length: number): number {
    const id = this.#size++;
    const start = id === 0 ? 0 : (this.starts[id] ?? 0);
    if (start + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, start + length));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) bytes[start + i] = source[from + i] ?? 0;
    this.starts[0] = 0;
    this.starts[id + 1] = start + length;
    return id;
  }
}
