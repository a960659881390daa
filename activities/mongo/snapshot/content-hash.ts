import { createHash } from 'node:crypto';
import type { Document } from 'mongodb';

/**
 * SHA-256 over the rows in their order, one canonical JSON array a line, behind a first line that says how they were chosen and what they go
 * through. Equal digests mean equal training tables.
 */
export class ContentHash {
  readonly #hash = createHash('sha256');
  readonly #fields: readonly string[];
  #pending: string[] = [];

  /**
   * @param header canonical JSON of query, spec and fixings
   * @param fields of each row, in the order in which they count
   */
  constructor(header: Buffer, fields: readonly string[]) {
    this.#hash.update(header).update('\n');
    this.#fields = fields;
  }

  add(row: Document): void {
    const values = this.#fields.map((name) => row[name] as unknown);
    this.#pending.push(JSON.stringify(values));
    if (this.#pending.length === 1000) this.#flush();
  }

  digest(): string {
    this.#flush();
    return this.#hash.digest('hex');
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#hash.update(this.#pending.join('\n')).update('\n');
    this.#pending = [];
  }
}
