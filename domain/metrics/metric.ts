/** A metric as its reader sees it. Names and units as Prometheus has them: seconds, `_total` for what only grows. */
export interface MetricFacts {
  type: 'counter' | 'gauge' | 'histogram';
  /** each with few values, known beforehand: a series stays in memory for as long as its process lives */
  labels: readonly string[];
  /** what it says, for a reader of the exported text */
  help: string;
  /** of a histogram: upper bounds, rising */
  buckets?: readonly number[];
}

/** Metrics by the names under which they are exported. */
export type Catalogue = Readonly<Record<string, MetricFacts>>;

/** The names of one type. */
export type NamesOf<C extends Catalogue, Type extends MetricFacts['type']> = {
  [Name in keyof C]: C[Name]['type'] extends Type ? Name : never;
}[keyof C] &
  string;

/** A value for each label of a metric. */
export type LabelsOf<C extends Catalogue, Name extends keyof C> = Record<C[Name]['labels'][number], string>;
