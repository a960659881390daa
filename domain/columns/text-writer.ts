const ZERO = 0x30;
const MINUS = 0x2d;
/** below it, every number of cents is a whole number that a double holds */
const MOST_CENTS = 1e13;
const MILLION = 1_000_000;

/** Bytes that grow as texts are appended; for texts of which there are millions. */
export class TextWriter {
  #bytes = Buffer.allocUnsafe(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written; a view that the next text may replace. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Some bytes of another buffer. */
  copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = from; i < to; i++) bytes[at++] = source[i] ?? 0;
    this.#length = at;
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    if (this.#length + length > this.#bytes.length) this.#grow(length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** A number as `String` writes it. Amounts and times, which most numbers are, take a tenth of its time. */
  number(value: number): void {
    if (value > -MOST_CENTS && value < MOST_CENTS) {
      if (Number.isInteger(value)) return this.#whole(value);
      const cents = Math.round(value * 100);
      // With so few digits, the decimal number that rounds to this double is the shortest one.
      if (cents / 100 === value) return this.#cents(cents);
    }
    this.text(String(value));
  }

  /** A whole number below 2³¹ with leading zeros. */
  padded(value: number, digits: number): void {
    if (this.#length + digits > this.#bytes.length) this.#grow(digits);
    const bytes = this.#bytes;
    // Known to be whole, it is divided without a floating point.
    let left = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const rest = (left / 10) | 0;
      bytes[at] = ZERO + (left - rest * 10);
      left = rest;
    }
    this.#length += digits;
  }

  #cents(cents: number): void {
    const positive = Math.abs(cents);
    if (cents < 0) this.byte(MINUS);
    const whole = Math.floor(positive / 100);
    const rest = positive - whole * 100;
    this.#whole(whole);
    this.byte(0x2e);
    if (rest % 10 === 0) this.byte(ZERO + rest / 10);
    else this.padded(rest, 2);
  }

  #whole(value: number): void {
    if (value < 0) this.byte(MINUS);
    const positive = Math.abs(value);
    const high = Math.floor(positive / MILLION);
    if (high >= MILLION) {
      const highest = Math.floor(high / MILLION);
      this.padded(highest, digitsOf(highest));
      this.padded(high - highest * MILLION, 6);
    } else if (high > 0) this.padded(high, digitsOf(high));
    const low = positive - high * MILLION;
    this.padded(low, high > 0 ? 6 : digitsOf(low));
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + by));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}
