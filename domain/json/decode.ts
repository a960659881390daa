import type { Finding } from './read.js';

const BYTE_ORDER_MARKS: readonly [name: string, bytes: readonly number[]][] = [
  ['UTF-8 with a byte order mark', [0xef, 0xbb, 0xbf]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
];
const LINE_FEED = 0x0a;

/** A file's text, which must be UTF-8 without a byte order mark (RFC 8259, section 8.1), or where it is not. */
export function decodeUtf8(bytes: Uint8Array): { text: string } | { finding: Finding } {
  for (const [encoding, mark] of BYTE_ORDER_MARKS)
    if (mark.every((byte, index) => bytes[index] === byte))
      return wrong(1, 1, `is ${encoding}: save the file as UTF-8 without a byte order mark`);
  if (bytes[0] === 0 || bytes[1] === 0) return wrong(1, 1, 'is UTF-16 or UTF-32: save the file as UTF-8');
  try {
    return { text: decode(bytes) };
  } catch {
    return wrong(...firstBroken(bytes), 'is not UTF-8 from here on (Latin-1, perhaps): save the file as UTF-8');
  }
}

/** No byte of a multi-byte sequence is a line feed, so lines can be tried one by one. */
function firstBroken(bytes: Uint8Array): [line: number, column: number] {
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(LINE_FEED, start);
    const part = bytes.subarray(start, end < 0 ? bytes.length : end);
    try {
      decode(part);
    } catch {
      // what follows the last good character became the replacement character
      return [line, new TextDecoder().decode(part).indexOf('\ufffd') + 1 || 1];
    }
    if (end < 0) return [line, 1];
    start = end + 1;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function wrong(line: number, column: number, message: string): { finding: Finding } {
  return { finding: { line, column, path: '', message } };
}
