const FIRST = 64;
const LARGEST = 16_384;

/** A growing column of doubles in blocks: it takes 8 bytes a value and is never copied as a whole, however long it gets. */
export class BlockColumn {
  readonly #full: Float64Array[] = [];
  #open = new Float64Array(FIRST);
  #used = 0;

  get length(): number {
    return this.#full.length * LARGEST + this.#used;
  }

  push(value: number): void {
    if (this.#used === this.#open.length) this.#grow();
    this.#open[this.#used++] = value;
  }

  /** The values as they came; views that the next push may detach. */
  blocks(): Float64Array[] {
    return [...this.#full, this.#open.subarray(0, this.#used)];
  }

  #grow(): void {
    if (this.#open.length < LARGEST) {
      const larger = new Float64Array(this.#open.length * 2);
      larger.set(this.#open);
      this.#open = larger;
      return;
    }
    this.#full.push(this.#open);
    this.#open = new Float64Array(LARGEST);
    this.#used = 0;
  }
}
