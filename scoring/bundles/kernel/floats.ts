const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);
const ZERO = 0;
const SMALLEST_BITS = 1;
const SIGN_BIT = -0x80000000;

/** The next smaller float32; of the smallest, -Infinity; of both zeros, the largest negative number; of -Infinity, NaN. */
export function below(number: number): number {
  value[0] = number;
  if (value[0] === ZERO) bits[0] = SIGN_BIT | SMALLEST_BITS;
  else bits[0] = (bits[0] as number) + (value[0] < ZERO ? 1 : -1);
  return value[0];
}

/** The next larger float32; of Infinity, NaN. */
export function above(number: number): number {
  return -below(-number);
}
