/**
 * A seeded source of random numbers: the same seed gives the same intervals on every machine. sfc32 of PractRand (Doty-Humphrey), 128 bits
 * of state, with its customary twelve rounds of warming up.
 * @returns a function whose results are whole numbers from 0 to 2³² − 1
 */
export function sfc32(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
