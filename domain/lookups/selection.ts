/** so few that sorting them takes no longer than counting them */
const FEW = 4096;
/** of 16 bits each, in a double */
const DIGITS = 4;

/** How many values have each digit at one place, in ascending order; digits that none has are left out. */
interface Spread {
  digits: number[];
  counts: number[];
}

/**
 * The value at any place of the sorted order of values that lie sorted nowhere: a radix selection. Their bits, as a number in the same order, are four
 * digits; counting the values digit by digit finds the few that a place can be one of, and only these are copied and sorted.
 */
export class Selection {
  /** how many values there are */
  readonly length: number;
  readonly #spreads = new Map<string, Spread>();
  readonly #sorted = new Map<string, Float64Array>();

  /** @param blocks without NaN; they must not change */
  constructor(private readonly blocks: readonly Float64Array[]) {
    this.length = blocks.reduce((sum, { length }) => sum + length, 0);
  }

  /** @param index from 0; less than there are values */
  at(index: number): number {
    let [rank, count] = [index, this.length];
    const prefix: number[] = [];
    while (count > FEW && prefix.length < DIGITS) {
      const { digits, counts } = this.#spreadOf(prefix);
      let at = 0;
      while (rank >= (counts[at] ?? Infinity)) rank -= counts[at++] ?? 0;
      prefix.push(digits[at] ?? 0);
      count = counts[at] ?? 0;
    }
    // More than a few that agree in all digits are one value.
    const sorted = this.#sortedOf(prefix, Math.min(count, FEW));
    return sorted[Math.min(rank, sorted.length - 1)] ?? NaN;
  }

  #spreadOf(prefix: readonly number[]): Spread {
    const key = prefix.join();
    const known = this.#spreads.get(key);
    if (known !== undefined) return known;
    counters.fill(0);
    for (const block of this.blocks) {
      const words = wordsOf(block);
      for (let at = 0; at < words.length; at += 2)
        if (startsWith(words, at, prefix)) {
          const digit = digitOf(words, at, prefix.length);
          counters[digit] = (counters[digit] ?? 0) + 1;
        }
    }
    const spread: Spread = { digits: [], counts: [] };
    for (let digit = 0; digit < counters.length; digit++) {
      const count = counters[digit] ?? 0;
      if (count === 0) continue;
      spread.digits.push(digit);
      spread.counts.push(count);
    }
    this.#spreads.set(key, spread);
    return spread;
  }

  /** @param count how many begin with these digits; or fewer, to leave the rest out */
  #sortedOf(prefix: readonly number[], count: number): Float64Array {
    const key = prefix.join();
    const known = this.#sorted.get(key);
    if (known !== undefined) return known;
    const found = new Float64Array(count);
    let length = 0;
    for (const block of this.blocks) {
      const words = wordsOf(block);
      for (let at = 0; at < words.length && length < count; at += 2)
        if (startsWith(words, at, prefix)) found[length++] = block[at >> 1] ?? NaN;
    }
    found.sort();
    this.#sorted.set(key, found);
    return found;
  }
}

/** Used within one call only; a digit has 16 bits. */
const counters = new Uint32Array(1 << 16);
const HIGH_FIRST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

/** The halves of each double, as they lie in memory. */
function wordsOf(block: Float64Array): Int32Array {
  return new Int32Array(block.buffer, block.byteOffset, block.length * 2);
}

function startsWith(words: Int32Array, at: number, prefix: readonly number[]): boolean {
  for (let place = 0; place < prefix.length; place++) if (digitOf(words, at, place) !== prefix[place]) return false;
  return true;
}

/**
 * One digit of a double as a number whose order is the doubles' own: the sign turned round, and all other bits, too, of a negative one.
 * @param place from 0, the most significant
 */
function digitOf(words: Int32Array, at: number, place: number): number {
  const high = words[HIGH_FIRST ? at : at + 1] ?? 0;
  const negative = high >> 31;
  const word = place < 2 ? high ^ (negative | -0x80000000) : (words[HIGH_FIRST ? at + 1 : at] ?? 0) ^ negative;
  return place % 2 === 0 ? word >>> 16 : word & 0xffff;
}
