/** How many bits a number needs. */
export function bitsOf(largest: number): number {
  return 32 - Math.clz32(largest);
}

/**
 * Numbers as Parquet's hybrid of runs and bit packing: one run where all are the same, else all packed.
 * @param width bits of each number, up to 24
 */
export function packed(values: Int32Array, width: number): Uint8Array {
  const [first = 0] = values;
  if (areAll(values, first)) {
    const run = new Uint8Array(5 + ((width + 7) >> 3));
    let at = writeVarint(run, 0, values.length * 2);
    for (let bits = 0; bits < width; bits += 8) run[at++] = first >> bits;
    return run.subarray(0, at);
  }
  const groups = Math.ceil(values.length / 8);
  const bytes = new Uint8Array(5 + groups * width);
  const start = writeVarint(bytes, 0, groups * 2 + 1);
  let [at, pending, bits] = [start, 0, 0];
  for (let index = 0; index < values.length; index++) {
    pending |= (values[index] ?? 0) << bits;
    bits += width;
    while (bits >= 8) {
      bytes[at++] = pending;
      pending >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) bytes[at] = pending;
  return bytes.subarray(0, start + groups * width);
}

function areAll(values: Int32Array, wanted: number): boolean {
  for (let at = 0; at < values.length; at++) if (values[at] !== wanted) return false;
  return true;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  for (; value > 0x7f; value >>>= 7) bytes[at++] = (value & 0x7f) | 0x80;
  bytes[at++] = value;
  return at;
}
