import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';

/** A line longer than this is no row; it is dropped, whatever its length, without being held. */
export const MAX_LINE_BYTES = 64 * 1024;

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

export interface Line {
  /** 1 is the first of the file */
  number: number;
  /** without its line feed, with a carriage return that stands before it; null for one that cannot be used */
  text: string | null;
  /** why it cannot be used */
  problem?: string;
}

/**
 * The lines of a UTF-8 stream of bytes, as many at a time as a chunk holds. A line feed ends a line; the last one may lack it. A line whose bytes are not
 * UTF-8 concerns no other line. A byte order mark belongs to no line.
 * @throws Error for UTF-16 that says so by its first bytes
 */
export async function* linesOf(input: Readable): AsyncGenerator<Line[]> {
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  let tooLong = false;
  let begun = false;

  const line = (text: string | null): Line => {
    number++;
    const long = tooLong || (text !== null && isTooLong(text));
    tooLong = false;
    if (long) return { number, text: null, problem: `a line of more than ${MAX_LINE_BYTES / 1024} KB` };
    return text === null ? { number, text, problem: 'bytes that are not UTF-8' } : { number, text };
  };
  /** @param bytes whole lines, without the line feed of the last one */
  const lines = (bytes: Buffer): Line[] => {
    // One check of all is as good as one of each, and nearly free.
    if (isUtf8(bytes)) return bytes.toString('utf8').split('\n').map(line);
    return splitLines(bytes).map((one) => line(isUtf8(one) ? one.toString('utf8') : null));
  };

  for await (const chunk of input as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!begun && rest.length < BYTE_ORDER_MARK.length) continue;
    if (!begun) rest = withoutMark(rest);
    begun = true;
    const end = rest.lastIndexOf(LINE_FEED);
    if (end >= 0) {
      yield lines(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MAX_LINE_BYTES) {
      tooLong = true;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0 || tooLong) yield lines(rest);
}

function withoutMark(bytes: Buffer): Buffer {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new Error('it is UTF-16, not UTF-8');
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? bytes.subarray(BYTE_ORDER_MARK.length)
    : bytes;
}

function splitLines(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
    found.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return [...found, bytes.subarray(from)];
}

function isTooLong(text: string): boolean {
  return text.length > MAX_LINE_BYTES || (text.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(text) > MAX_LINE_BYTES);
}
