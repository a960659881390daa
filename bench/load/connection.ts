import { connect, type Socket } from 'node:net';

const READ_BYTES = 128 * 1024;
const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** @param body null where it is not kept */
export type OnAnswer = (status: number, bodyBytes: number, body: Buffer | null) => void;

/**
 * One keep-alive connection that has at most one request on its way. It reads into one buffer and looks at the status and the length of an
 * answer only, so that the generator costs less than any server. An answer without a content length is refused.
 */
export class Connection {
  #socket: Socket | null = null;
  #busy = false;
  /** bytes of the answer's body that are still to come; -1 while the head is not complete */
  #remaining = -1;
  #head = '';
  #status = 0;
  #bodyBytes = 0;
  #body: Buffer[] = [];
  #closed = false;

  constructor(
    private readonly port: number,
    private readonly keepBody: boolean,
    private readonly onAnswer: OnAnswer,
    /** the connection ended with a request on its way; it is opened again for the next one */
    private readonly onLost: (why: string) => void,
  ) {}

  send(request: Buffer): void {
    this.#busy = true;
    this.#remaining = -1;
    this.#head = '';
    (this.#socket ??= this.#open()).write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({
      host: '127.0.0.1',
      port: this.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (length, buffer) => {
          this.#read(buffer as Buffer, length);
          return true;
        },
      },
    });
    const lost = (why: string): void => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      socket.destroy();
      if (!this.#busy || this.#closed) return;
      this.#busy = false;
      this.onLost(why);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => lost(error.code ?? error.message));
    socket.on('end', () => lost('the connection was closed'));
    socket.on('close', () => lost('the connection was closed'));
    return socket;
  }

  #read(buffer: Buffer, length: number): void {
    let from = 0;
    if (this.#remaining < 0) {
      const text = buffer.toString('latin1', 0, length);
      const before = this.#head.length;
      const head = before === 0 ? text : this.#head + text;
      const end = head.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = head;
        return;
      }
      this.#status = Number(head.slice(9, 12));
      this.#bodyBytes = this.#remaining = Number(CONTENT_LENGTH.exec(head)?.[1] ?? NaN);
      if (Number.isNaN(this.#remaining)) {
        this.#remaining = 0;
        this.#socket?.destroy(new Error('an answer without content-length'));
        return;
      }
      from = end + HEAD_END.length - before;
    }
    this.#remaining -= length - from;
    if (this.keepBody) this.#body.push(Buffer.from(buffer.subarray(from, length)));
    if (this.#remaining > 0) return;
    this.#busy = false;
    const body = this.keepBody ? Buffer.concat(this.#body.splice(0)) : null;
    this.onAnswer(this.#status, this.#bodyBytes, body);
  }
}
