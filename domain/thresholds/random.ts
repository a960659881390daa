/**
 * A seeded source of random numbers: the same seed gives the same intervals on every machine. sfc32 of PractRand (Doty-Humphrey), 128 bits
 * of state, with its customary twelve rounds of warming up.
 */
export class Sfc32 {
  private a: number;
  private b: number;
  private c = 0x9e3779b9 | 0;
  private counter = 1;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = Math.floor(seed / 2 ** 32) | 0;
    this.fill(new Uint32Array(12));
  }

  /** Whole numbers from 0 to 2³² − 1. Many at a time, since the state then stays in registers. */
  fill(target: Uint32Array): void {
    let { a, b, c, counter } = this;
    for (let i = 0; i < target.length; i++) {
      const result = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + result) | 0;
      target[i] = result;
    }
    Object.assign(this, { a, b, c, counter });
  }

  next(): number {
    const one = new Uint32Array(1);
    this.fill(one);
    return one[0] as number;
  }
}
