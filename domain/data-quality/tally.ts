/** Counts texts as long as there are few different ones; beyond that it only says that there are many. */
export class Tally {
  readonly #counts = new Map<string, number>();
  #many = false;

  constructor(private readonly limit: number) {}

  add(text: string): void {
    if (this.#many) return;
    const count = this.#counts.get(text);
    if (count === undefined && this.#counts.size === this.limit) {
      this.#many = true;
      this.#counts.clear();
      return;
    }
    this.#counts.set(text, (count ?? 0) + 1);
  }

  /** Text → count, most frequent first; null when there were too many different ones. */
  counts(): Record<string, number> | null {
    if (this.#many) return null;
    return Object.fromEntries([...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
  }
}
