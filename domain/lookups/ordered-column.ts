const FIRST = 64;
const LARGEST = 16_384;

/**
 * A growing column of doubles that can be asked for the value at any place of its sorted order. It lies in sorted runs and is never put
 * together, so it takes 8 bytes a value and no second copy.
 */
export class OrderedColumn {
  readonly #runs: Float64Array[] = [];
  #open = new Float64Array(FIRST);
  #used = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param value not NaN */
  push(value: number): void {
    if (this.#used === this.#open.length) this.#grow();
    this.#open[this.#used++] = value;
    this.#length++;
  }

  /** The values in sorted runs; views that the next push may change. */
  runs(): Float64Array[] {
    const open = this.#open.subarray(0, this.#used).sort();
    return this.#used === 0 ? [...this.#runs] : [...this.#runs, open];
  }

  #grow(): void {
    if (this.#open.length < LARGEST) {
      const larger = new Float64Array(this.#open.length * 2);
      larger.set(this.#open);
      this.#open = larger;
      return;
    }
    this.#runs.push(this.#open.sort());
    this.#open = new Float64Array(LARGEST);
    this.#used = 0;
  }
}

/**
 * The value at an index of the sorted order of all runs together. It halves the range of doubles until one is left: 64 steps at most, each a
 * binary search per run.
 * @param runs each ascending, without NaN; together longer than `index`
 */
export function valueAt(runs: readonly Float64Array[], index: number): number {
  let low = (1n << 63n) - 1n;
  let high = -(1n << 63n);
  for (const run of runs) {
    const [first, last] = [rankOf(run[0] ?? NaN), rankOf(run[run.length - 1] ?? NaN)];
    if (first < low) low = first;
    if (last > high) high = last;
  }
  while (low < high) {
    const middle = (low + high) >> 1n;
    const value = doubleOf(middle);
    let notAbove = 0;
    for (const run of runs) notAbove += countNotAbove(run, value);
    if (notAbove > index) high = middle;
    else low = middle + 1n;
  }
  return doubleOf(low);
}

function countNotAbove(run: Float64Array, value: number): number {
  let [from, to] = [0, run.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((run[middle] ?? NaN) <= value) from = middle + 1;
    else to = middle;
  }
  return from;
}

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);
const ALL_BUT_SIGN = (1n << 63n) - 1n;

/** Doubles as whole numbers in the same order: neighbouring doubles have neighbouring ranks. */
function rankOf(value: number): bigint {
  double[0] = value;
  const raw = bits[0] ?? 0n;
  return raw < 0n ? BigInt.asIntN(64, raw ^ ALL_BUT_SIGN) : raw;
}

function doubleOf(rank: bigint): number {
  bits[0] = rank < 0n ? rank ^ ALL_BUT_SIGN : rank;
  return double[0] ?? NaN;
}
