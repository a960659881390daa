/** different reasons that are told apart; a reason quotes what it refuses, so there may be as many as rows */
const MOST = 20;

/** Rows that could not be used, by reason. */
export class Refusals {
  readonly #byReason = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(reason: string, rows = 1): void {
    this.#count += rows;
    const known = this.#byReason.has(reason) || this.#byReason.size < MOST ? reason : 'for other reasons';
    this.#byReason.set(known, (this.#byReason.get(known) ?? 0) + rows);
  }

  /** One line per reason, the most frequent first. */
  lines(): string[] {
    return [...this.#byReason]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([reason, count]) => `${count} ${count === 1 ? 'row' : 'rows'} left out: ${reason}`);
  }
}
