import { open, type FileHandle } from 'node:fs/promises';

/** Columns on local disk as they lie in memory, for as long as the work on one snapshot takes: what is read again costs no memory meanwhile. */
export class Spool {
  #end = 0;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  static async create(path: string): Promise<Spool> {
    return new Spool(path, await open(path, 'w+'));
  }

  /** Opens what another one has written, to be read only. */
  static async open(path: string): Promise<Spool> {
    return new Spool(path, await open(path, 'r'));
  }

  /** @returns where the parts lie, one after another */
  async append(parts: readonly NodeJS.ArrayBufferView[]): Promise<number> {
    const offset = this.#end;
    const length = lengthOf(parts);
    if (length === 0) return offset;
    const { bytesWritten } = await this.file.writev(parts, offset);
    if (bytesWritten !== length) throw new Error(`${bytesWritten} bytes of ${length} were written to a temporary file`);
    this.#end += length;
    return offset;
  }

  /** Fills the parts with what lies at an offset, one after another. */
  async fill(parts: readonly NodeJS.ArrayBufferView[], offset: number): Promise<void> {
    const length = lengthOf(parts);
    if (length === 0) return;
    const { bytesRead } = await this.file.readv(parts, offset);
    if (bytesRead !== length) throw new Error(`${bytesRead} bytes of ${length} were read from a temporary file`);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function lengthOf(parts: readonly NodeJS.ArrayBufferView[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
