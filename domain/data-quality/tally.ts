/** Counts texts as long as there are few different ones; beyond that it only says that there are many. */
export class Tally {
  readonly #counts = new Map<string, number>();
  #many = false;

  constructor(private readonly limit: number) {}

  /** There were too many different ones: nothing is counted any more. */
  get isFull(): boolean {
    return this.#many;
  }

  add(text: string, times = 1): void {
    if (this.#many) return;
    const count = this.#counts.get(text);
    if (count === undefined && this.#counts.size === this.limit) {
      this.#many = true;
      this.#counts.clear();
      return;
    }
    this.#counts.set(text, (count ?? 0) + times);
  }

  /** Text → count, most frequent first; null when there were too many different ones. */
  counts(): Record<string, number> | null {
    if (this.#many) return null;
    return Object.fromEntries([...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
  }
}
