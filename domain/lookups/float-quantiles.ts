import { quantile } from './quantile.js';

/** of a float: two digits of 16 bits each */
const DIGITS = 1 << 16;

/**
 * Quantiles of floats that lie sorted nowhere, exactly: their bits, as a number in the same order, are two digits. Counting the first digit tells in
 * which few values of it the wanted places lie; counting the second digit within these finds them. Two passes instead of a sort.
 * @param values without NaN, at least one
 * @param fractions name → from 0 to 1
 */
export function quantilesOfFloats<Name extends string>(
  values: Float32Array,
  fractions: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  const first = new Uint32Array(DIGITS);
  for (let i = 0; i < words.length; i++) {
    const key = keyOf(words[i] ?? 0) >>> 16;
    first[key] = (first[key] ?? 0) + 1;
  }
  const wanted = ranksOf(fractions, values.length);
  const second = new Map<number, Uint32Array>();
  /** first digit → its place among those that matter, plus 1 */
  const marks = new Uint8Array(DIGITS);
  for (const { digit } of placesOf(first, wanted)) {
    if (second.has(digit)) continue;
    second.set(digit, new Uint32Array(DIGITS));
    marks[digit] = second.size;
  }
  const counters = [...second.values()];
  for (let i = 0; i < words.length; i++) {
    const key = keyOf(words[i] ?? 0);
    const mark = marks[key >>> 16] ?? 0;
    if (mark === 0) continue;
    const counter = counters[mark - 1];
    if (counter !== undefined) counter[key & 0xffff] = (counter[key & 0xffff] ?? 0) + 1;
  }
  const found = new Map(
    placesOf(first, wanted).map(({ rank, digit, within }): [number, number] => {
      const low = placesOf(second.get(digit) ?? new Uint32Array(), [within])[0]?.digit ?? 0;
      return [rank, floatOf(((digit << 16) | low) >>> 0)];
    }),
  );
  const at = (index: number): number => found.get(index) ?? NaN;
  const entries = Object.entries<number>(fractions).map(([name, q]) => [name, quantile(values.length, at, q)]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** The places of the sorted order that the quantiles are interpolated between, ascending. */
function ranksOf(fractions: Readonly<Record<string, number>>, n: number): number[] {
  const ranks = new Set<number>();
  const note = (index: number): number => {
    ranks.add(index);
    return 0;
  };
  for (const q of Object.values(fractions)) quantile(n, note, q);
  return [...ranks].sort((a, b) => a - b);
}

/** For ascending ranks: the digit that the value there has, and which one it is among the values with this digit. */
function placesOf(counts: Uint32Array, ranks: readonly number[]): { rank: number; digit: number; within: number }[] {
  let [digit, before] = [0, 0];
  return ranks.map((rank) => {
    while (digit < counts.length - 1 && before + (counts[digit] ?? 0) <= rank) before += counts[digit++] ?? 0;
    return { rank, digit, within: rank - before };
  });
}

/** Bits of a float → a number whose unsigned order is the floats' own. */
function keyOf(bits: number): number {
  return (bits ^ ((bits >> 31) | -0x80000000)) >>> 0;
}

const view = new DataView(new ArrayBuffer(4));

function floatOf(key: number): number {
  view.setUint32(0, key >>> 31 === 1 ? key ^ 0x80000000 : ~key);
  return view.getFloat32(0);
}
