/**
 * Gives each different text, as UTF-8 bytes, a small number from 0 on, so that a text is decoded once and not in every row. Its memory is that of
 * the different texts.
 */
export class Interner {
  readonly #texts: (string | null)[] = [];
  /** the texts' bytes, one after another */
  #bytes = Buffer.alloc(4096);
  /** where in them each text begins, and where the last one ends */
  #starts = new Uint32Array(256);
  /** open addressing by hash: number + 1, 0 where free; at most half full */
  #table = new Uint32Array(512);
  #nullId = -1;

  /** The number of the text that lies at a place of some bytes. */
  idOf(source: Buffer, from: number, length: number): number {
    const mask = this.#table.length - 1;
    for (let slot = hashOf(source, from, from + length) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? 0;
      if (entry === 0) return this.#add(source, from, length, slot);
      if (this.#holds(entry - 1, source, from, length)) return entry - 1;
    }
  }

  /** The number of a text that is not there. */
  idOfNull(): number {
    if (this.#nullId < 0) {
      this.#nullId = this.#texts.length;
      this.#append(null, 0);
    }
    return this.#nullId;
  }

  textOf(id: number): string | null {
    return this.#texts[id] ?? null;
  }

  #holds(id: number, source: Buffer, from: number, length: number): boolean {
    const start = this.#starts[id] ?? 0;
    if ((this.#starts[id + 1] ?? 0) - start !== length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== source[from + i]) return false;
    return true;
  }

  #add(source: Buffer, from: number, length: number, slot: number): number {
    const id = this.#texts.length;
    const start = this.#starts[id] ?? 0;
    if (start + length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, start + length));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    source.copy(this.#bytes, start, from, from + length);
    this.#append(source.toString('utf8', from, from + length), length);
    this.#table[slot] = id + 1;
    if (this.#texts.length * 2 > this.#table.length) this.#enlarge();
    return id;
  }

  #append(text: string | null, length: number): void {
    const id = this.#texts.length;
    this.#texts.push(text);
    if (id + 1 === this.#starts.length) {
      const longer = new Uint32Array(this.#starts.length * 2);
      longer.set(this.#starts);
      this.#starts = longer;
    }
    this.#starts[id + 1] = (this.#starts[id] ?? 0) + length;
  }

  #enlarge(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let id = 0; id < this.#texts.length; id++) {
      if (id === this.#nullId) continue;
      let slot = hashOf(this.#bytes, this.#starts[id] ?? 0, this.#starts[id + 1] ?? 0) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = id + 1;
    }
    this.#table = table;
  }
}

/** FNV-1a, folded, since a table looks at the low bits only. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
