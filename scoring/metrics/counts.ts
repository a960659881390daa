/** Observations by bucket, as a histogram has them; one addition each. */
export class BucketCounts {
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds rising */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += value;
  }
}

const STATUSES = 600;

/** Answers by group of routes and HTTP status; what is no status is counted as 0. */
export class RequestCounts<Route extends string> {
  private readonly counts: Float64Array;
  private readonly offsets: Readonly<Record<string, number>>;

  constructor(private readonly routes: readonly Route[]) {
    this.counts = new Float64Array(routes.length * STATUSES);
    this.offsets = Object.fromEntries(routes.map((route, index) => [route, index * STATUSES]));
  }

  add(route: Route, status: number): void {
    const at = (this.offsets[route] as number) + (status > 0 && status < STATUSES ? status : 0);
    this.counts[at] = (this.counts[at] as number) + 1;
  }

  /** those that happened */
  entries(): { route: Route; status: number; count: number }[] {
    return this.routes.flatMap((route, index) =>
      [...this.counts.subarray(index * STATUSES, (index + 1) * STATUSES)].flatMap((count, status) =>
        count === 0 ? [] : [{ route, status, count }],
      ),
    );
  }
}

/** under which names beyond the limit are counted together */
export const OTHER = 'other';

/** Counts by names that come with bundles. A name keeps its slot as long as the process lives; the number of names is limited. */
export class NamedCounts {
  private readonly slots = new Map<string, number>();
  private readonly counts: Float64Array;

  constructor(private readonly limit: number) {
    this.counts = new Float64Array(limit + 1);
  }

  /** The slot of a name; names that find no room share one. */
  slotOf(name: string): number {
    const known = this.slots.get(name);
    if (known !== undefined) return known;
    const slot = this.slots.size;
    if (slot >= this.limit) return this.limit;
    this.slots.set(name, slot);
    return slot;
  }

  add(slot: number): void {
    this.counts[slot] = (this.counts[slot] as number) + 1;
  }

  /** every name that has a slot, also those that were never hit */
  entries(): { name: string; count: number }[] {
    const others = this.counts[this.limit] as number;
    return [
      ...[...this.slots].map(([name, slot]) => ({ name, count: this.counts[slot] as number })),
      ...(others === 0 ? [] : [{ name: OTHER, count: others }]),
    ];
  }
}
