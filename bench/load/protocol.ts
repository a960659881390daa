/** What a load generator is to do. */
export interface LoadOrder {
  port: number;
  path: string;
  /** sent in turn, one a request */
  bodies: string[];
  connections: number;
  /** before the clock starts */
  warmupSeconds: number;
  /** null: until `stop` */
  seconds: number | null;
  /**
   * Requests/s, sent when they are due whatever has been answered, latency counted from when they were due; null: each connection sends its
   * next request as soon as the last one is answered.
   */
  rate: number | null;
  /** of a rate: evenly spaced, or as independent clients would come (Poisson) */
  arrivals: 'even' | 'poisson';
  /** each answer must come from exactly one of these bundles; null: only the status is looked at */
  expected: ExpectedBundle[] | null;
}

/** What a bundle answers. */
export interface ExpectedBundle {
  manifestSha256: string;
  /** by position in `bodies` */
  scores: number[];
}

export interface Latency {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface LoadResult {
  requests: number;
  seconds: number;
  perSecond: number;
  /** of an answer's body */
  meanAnswerBytes: number;
  /** milliseconds */
  latency: Latency;
  /** why → how many requests were not answered with 200 and what was expected */
  failed: Record<string, number>;
  /** share of its core that the generator used: near 1 without a rate, it is what was measured */
  generatorCpu: number;
  /** milliseconds by which the generator itself was late to notice that a request was due, 99 % */
  generatorLagP99: number;
  over20ms: number;
  /** each generation that was seen, in the order of its first answer; only where bundles are expected */
  swaps: Swap[];
  bySecond: { p50: number; p99: number; requests: number }[];
}

/** What was seen around the first answer of a generation. */
export interface Swap {
  generation: number;
  manifestSha256: string;
  /** of requests answered in the second after it, and how many of them took over 20 ms */
  worst: number;
  over20ms: number;
}

export type ToGenerator = { kind: 'run'; order: LoadOrder } | { kind: 'stop' };
export type FromGenerator =
  { kind: 'started' } | { kind: 'done'; result: LoadResult } | { kind: 'failed'; message: string };
