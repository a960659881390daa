/** What is known of a transaction's label. */
export const LABEL = { good: 0, fraud: 1, unknown: 2 } as const;
/** Who decides about a transaction: a rule of the bundle, whatever the threshold, or the threshold. */
export const DECIDER = { threshold: 0, rulePasses: 1, ruleAlerts: 2 } as const;
/** A row without a segment. */
export const NO_SEGMENT = 0xffff;

/**
 * Scored transactions as columns, in order of booking: 650,000 of them in 20 MB. `amount` is the money that is lost when the row is a
 * missed fraud, in the spec's currency.
 */
export interface ScoredRows {
  count: number;
  /** calibrated: what thresholds are compared with */
  probability: Float64Array;
  /** raw: ranks within equal probabilities */
  score: Float64Array;
  amount: Float64Array;
  /** ms since 1970 */
  bookedAt: Float64Array;
  label: Uint8Array;
  decider: Uint8Array;
  /** index into `segments`, or `NO_SEGMENT` */
  segment: Uint16Array;
  segments: string[];
}

export interface ScoredRow {
  probability: number;
  score: number;
  amount: number;
  bookedAt: number;
  label: boolean | null;
  decider: number;
  segment: string | null;
}

/** Collects rows one by one; the columns double when they are full. */
export class RowCollector {
  private readonly segmentIndex = new Map<string, number>();
  private columns = emptyColumns(4096);
  private count = 0;

  /** @param segments those that are named even where no row has them */
  constructor(segments: readonly string[] = []) {
    for (const segment of segments) this.indexOf(segment);
  }

  /** @throws RangeError for more segments than a column can name */
  push(row: ScoredRow): void {
    if (this.count === this.columns.probability.length) this.columns = grown(this.columns, this.count * 2);
    const i = this.count++;
    const { columns } = this;
    columns.probability[i] = row.probability;
    columns.score[i] = row.score;
    columns.amount[i] = row.amount;
    columns.bookedAt[i] = row.bookedAt;
    columns.label[i] = row.label === null ? LABEL.unknown : row.label ? LABEL.fraud : LABEL.good;
    columns.decider[i] = row.decider;
    columns.segment[i] = row.segment === null ? NO_SEGMENT : this.indexOf(row.segment);
  }

  rows(): ScoredRows {
    return { count: this.count, ...grown(this.columns, this.count), segments: [...this.segmentIndex.keys()] };
  }

  private indexOf(segment: string): number {
    const known = this.segmentIndex.get(segment);
    if (known !== undefined) return known;
    const next = this.segmentIndex.size;
    if (next >= NO_SEGMENT) throw new RangeError(`more than ${NO_SEGMENT} segments`);
    this.segmentIndex.set(segment, next);
    return next;
  }
}

type Columns = Omit<ScoredRows, 'count' | 'segments'>;

function emptyColumns(capacity: number): Columns {
  return {
    probability: new Float64Array(capacity),
    score: new Float64Array(capacity),
    amount: new Float64Array(capacity),
    bookedAt: new Float64Array(capacity),
    label: new Uint8Array(capacity),
    decider: new Uint8Array(capacity),
    segment: new Uint16Array(capacity),
  };
}

/** The columns at another length, longer or shorter. */
function grown(from: Columns, capacity: number): Columns {
  const to = emptyColumns(capacity);
  for (const name of Object.keys(to) as (keyof Columns)[])
    to[name].set(from[name].length > capacity ? from[name].subarray(0, capacity) : from[name]);
  return to;
}

/**
 * Row numbers by falling probability, then score, then booking: every subset of rows, taken in this order, is in order too, so one sort
 * serves every category and every week.
 */
export function rankRows({ count, probability, score }: ScoredRows): Uint32Array {
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  return order.sort(
    (a, b) =>
      (probability[b] as number) - (probability[a] as number) || (score[b] as number) - (score[a] as number) || a - b,
  );
}
