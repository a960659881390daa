/** A growing column of doubles or floats: what a plain array holds, in a fraction of the memory. */
export class NumberColumn<T extends Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer>> {
  #values: T;
  #length = 0;

  constructor(private readonly make: (length: number) => T) {
    this.#values = make(1024);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.make(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** Forgets the values and keeps their place. */
  clear(): void {
    this.#length = 0;
  }

  /** The values as they came; a view that the next push may detach. */
  values(): T {
    return this.#values.subarray(0, this.#length) as T;
  }

  /** Sorts in place and returns the values; a view that the next push may detach. */
  sorted(): T {
    return this.#values.subarray(0, this.#length).sort() as T;
  }
}
