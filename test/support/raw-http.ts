import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An answer as it stood on the wire. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface RawOptions {
  /** closes our half right behind the last byte; else it stays open until the other side closes */
  halfClose?: boolean;
  /** each in a packet of its own, as far as that can be told from here */
  apart?: boolean;
}

/** A connection without a client's manners: what is written is what is sent. */
export function openRaw(port: number): Socket {
  return connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
}

/**
 * Sends bytes and reads until the other side closes.
 * @returns the answers in the order in which they came
 */
export async function sendRaw(
  port: number,
  parts: readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawAnswer[]> {
  const socket = openRaw(port);
  socket.on('error', () => undefined);
  const all = buffer(socket);
  for (const part of parts) {
    socket.write(part);
    if (options.apart === true) await new Promise((resolve) => setImmediate(resolve));
  }
  if (options.halfClose === true) socket.end();
  try {
    return answersIn(await all);
  } finally {
    socket.destroy();
  }
}

/** Waits until so many answers are there; the connection stays open. */
export async function readAnswers(socket: Socket, count: number): Promise<RawAnswer[]> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    const answers = answersIn(bytes);
    if (answers.length >= count) return answers;
  }
}

/** Whole answers, each with a content length; answers to HEAD are not for this. */
export function answersIn(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) return answers;
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (end + 4 + length > bytes.length) return answers;
    answers.push({
      status: Number(first.split(' ')[1]),
      headers,
      body: bytes.toString('utf8', end + 4, end + 4 + length),
    });
    at = end + 4 + length;
  }
}

/** One request, as bytes; `content-length` is the body's unless the headers say how long it is. */
export function rawRequest(
  body: string | Buffer,
  headers: Record<string, string> = {},
  line = 'POST /v1/score HTTP/1.1',
): Buffer {
  const all: Record<string, string> = { host: 'x', 'content-type': 'application/json', ...headers };
  if (!('content-length' in all || 'transfer-encoding' in all)) all['content-length'] = `${Buffer.byteLength(body)}`;
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line}\r\n${head.join('')}\r\n`), Buffer.from(body)]);
}
