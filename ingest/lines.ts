import type { Readable } from 'node:stream';

/** A line longer than this is no row; it is dropped, whatever its length, without being held. */
export const MAX_LINE_CHARS = 64 * 1024;

export interface Line {
  /** 1 is the first of the file */
  number: number;
  /** without its end; null for one that was too long */
  text: string | null;
}

/** The lines of a UTF-8 stream, as many at a time as a chunk holds. Lines end with LF or CRLF, the last one as it likes. */
export async function* linesOf(input: Readable): AsyncGenerator<Line[]> {
  input.setEncoding('utf8');
  let number = 0;
  let rest = '';
  let tooLong = false;
  const line = (text: string): Line => {
    number++;
    if (tooLong || text.length > MAX_LINE_CHARS) {
      tooLong = false;
      return { number, text: null };
    }
    return { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  };
  for await (const chunk of input as AsyncIterable<string>) {
    const texts = (rest + chunk).split('\n');
    rest = texts.pop() ?? '';
    if (texts.length > 0) yield texts.map(line);
    if (rest.length > MAX_LINE_CHARS) {
      tooLong = true;
      rest = '';
    }
  }
  if (rest !== '' || tooLong) yield [line(rest)];
}
