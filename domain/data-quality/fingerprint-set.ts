/**
 * A set of texts that keeps 64 bits of each: half a million rows in 8 MB instead of a hundred. Two different texts pass for the same with a
 * chance of about n² ÷ 2⁶⁵, a hundred-millionth for half a million rows.
 */
export class FingerprintSet {
  /** pairs of 32-bit halves, open addressing; both halves 0 is an empty place */
  #table = new Uint32Array(2 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a text; false when it was there already. */
  add(text: string): boolean {
    let high = 0x811c9dc5;
    let low = 0x9e3779b9;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      high = Math.imul(high ^ unit, 0x01000193);
      low = Math.imul(low + unit, 0x85ebca6b);
      low ^= low >>> 13;
    }
    return this.#insert(mixed(high ^ text.length), mixed(low) || 1);
  }

  #insert(high: number, low: number): boolean {
    if (!place(this.#table, high, low)) return false;
    this.#size++;
    if (this.#size * 2 > this.#table.length / 2) {
      const larger = new Uint32Array(this.#table.length * 2);
      for (let at = 0; at < this.#table.length; at += 2) {
        const storedLow = this.#table[at + 1] ?? 0;
        if (storedLow !== 0) place(larger, this.#table[at] ?? 0, storedLow);
      }
      this.#table = larger;
    }
    return true;
  }
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function place(table: Uint32Array, high: number, low: number): boolean {
  const mask = table.length - 1;
  for (let at = (high * 2) & mask; ; at = (at + 2) & mask) {
    if (table[at + 1] === 0) {
      table[at] = high;
      table[at + 1] = low;
      return true;
    }
    if (table[at] === high && table[at + 1] === low) return false;
  }
}
