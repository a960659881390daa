/** How much may wait. */
export interface Bounds {
  rows: number;
  bytes: number;
}

interface Sized {
  rows: number;
  bytes: number;
}

/**
 * What waits to be written, oldest first, in batches: the batch that was begun stays until it is done. Beyond its bounds it drops the oldest
 * that is not being written at that moment: a recent prediction tells more than an old one.
 */
export class BoundedQueue<T extends Sized> {
  #queue: (T | undefined)[] = [];
  /** the first one that is still there */
  #head = 0;
  #batch: T[] = [];
  #inFlight = false;
  #rows = 0;
  #bytes = 0;

  constructor(readonly bounds: Bounds) {}

  /** rows that wait or are being written */
  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an item; returns how many rows were dropped for it, or with it. */
  offer(item: T): number {
    const inFlight = this.#inFlight ? sumOf(this.#batch) : { rows: 0, bytes: 0 };
    if (inFlight.rows + item.rows > this.bounds.rows || inFlight.bytes + item.bytes > this.bounds.bytes)
      return item.rows;
    let dropped = 0;
    while (this.#rows + item.rows > this.bounds.rows || this.#bytes + item.bytes > this.bounds.bytes) {
      const oldest = this.#inFlight ? this.#shift() : (this.#batch.shift() ?? this.#shift());
      if (oldest === undefined) break;
      this.#forget(oldest);
      dropped += oldest.rows;
    }
    this.#queue.push(item);
    this.#rows += item.rows;
    this.#bytes += item.bytes;
    return dropped;
  }

  /** What is to be written next: what is left of the batch that failed, else the oldest, at least one and no more than the limits allow. */
  begin(limits: Bounds): readonly T[] {
    const batch = sumOf(this.#batch);
    if (this.#batch.length === 0) {
      for (let next = this.#queue[this.#head]; next !== undefined; next = this.#queue[this.#head]) {
        batch.rows += next.rows;
        batch.bytes += next.bytes;
        if (this.#batch.length > 0 && (batch.rows > limits.rows || batch.bytes > limits.bytes)) break;
        this.#batch.push(next);
        this.#shift();
      }
    }
    this.#inFlight = this.#batch.length > 0;
    return this.#batch;
  }

  /** The batch was written. */
  done(): void {
    for (const item of this.#batch) this.#forget(item);
    this.#batch = [];
    this.#inFlight = false;
  }

  /** The batch was not written; it is the next again. */
  failed(): void {
    this.#inFlight = false;
  }

  /** Gives everything up; returns how many rows that were. */
  clear(): number {
    const rows = this.#rows;
    this.#queue = [];
    this.#head = 0;
    this.#batch = [];
    this.#inFlight = false;
    this.#rows = 0;
    this.#bytes = 0;
    return rows;
  }

  #forget({ rows, bytes }: T): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
  }

  #shift(): T | undefined {
    const item = this.#queue[this.#head];
    if (item === undefined) return undefined;
    // Gone for the collector as well, though its place is freed later.
    this.#queue[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

function sumOf(items: readonly Sized[]): Sized {
  const sum = { rows: 0, bytes: 0 };
  for (const { rows, bytes } of items) {
    sum.rows += rows;
    sum.bytes += bytes;
  }
  return sum;
}
