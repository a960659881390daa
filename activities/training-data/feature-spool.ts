import { quantilesOfFloats } from '../../domain/lookups/float-quantiles.js';
import type { Spool } from './spool.js';

/** Features in a spool, a column each, since a quantile needs all values of one feature, and memory has no room for all features. */
export class FeatureSpool {
  readonly #chunks: { offset: number; rows: number }[] = [];
  #rows = 0;

  constructor(
    private readonly spool: Spool,
    private readonly names: readonly string[],
  ) {}

  /** @param columns of the same rows, in the order of the names */
  async write(columns: readonly Float32Array[]): Promise<void> {
    const rows = columns[0]?.length ?? 0;
    if (rows === 0) return;
    this.#chunks.push({ offset: await this.spool.append(columns), rows });
    this.#rows += rows;
  }

  /** By feature: the quantiles of all its values, exactly; none of a table without rows. */
  async quantiles<Name extends string>(
    fractions: Readonly<Record<Name, number>>,
  ): Promise<Record<string, Record<Name, number>>> {
    if (this.#rows === 0) return {};
    const values = new Float32Array(this.#rows);
    const all: Record<string, Record<Name, number>> = {};
    for (const [feature, name] of this.names.entries()) {
      let row = 0;
      for (const { offset, rows } of this.#chunks) {
        await this.spool.fill([values.subarray(row, row + rows)], offset + feature * rows * values.BYTES_PER_ELEMENT);
        row += rows;
      }
      all[name] = quantilesOfFloats(values, fractions);
    }
    return all;
  }
}
