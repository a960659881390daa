/** A 32-bit float has at most this many significant digits of its own; what a double shows beyond them is noise. */
const MOST_DIGITS = 9;
const FEWEST_DIGITS = 6;

/** The shortest decimal that is this 32-bit float: 1111.88 for 1111.8800048828125. Another number is returned as it is. */
export function shortestFloat32(value: number): number {
  // no decimal text tells -0 from 0
  if (!Number.isFinite(value) || Math.fround(value) !== value || value === 0) return value;
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(MOST_DIGITS));
}
