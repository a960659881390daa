/** What an import did. A refused row changed nothing. */
export interface ImportSummary {
  /** data rows in the file, malformed ones included */
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  /** rows that differ from the stored ones and changed nothing, as those have been scored or have feedback; absent: there are none */
  kept?: { count: number; examples: string[] };
  refused: {
    count: number;
    /** field and reason → rows */
    reasons: Record<string, number>;
    /** the first ones, by line of the file (the header is line 1) */
    examples: { line: number; reason: string }[];
  };
  /** columns of the file that nobody asked for */
  ignoredColumns: string[];
  /** what was imported and will be trouble later, and what to do; absent: nothing */
  notices?: string[];
  /** nothing was done, because this very file had been imported before */
  skipped: boolean;
}

export interface ImportProgress {
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  refused: number;
  /** share of the file that has been read */
  fraction: number;
}

const MAX_EXAMPLES = 20;
const MAX_REASONS = 100;

export function emptySummary(): ImportSummary {
  return {
    read: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    refused: { count: 0, reasons: {}, examples: [] },
    ignoredColumns: [],
    skipped: false,
  };
}

/**
 * Counts a refused row.
 * @param reason without the value, so that equal mistakes count together
 * @param value shown in the example only
 */
export function refuse(
  { refused }: Pick<ImportSummary, 'refused'>,
  line: number,
  reason: string,
  value?: string,
): void {
  refused.count++;
  const many = !Object.hasOwn(refused.reasons, reason) && Object.keys(refused.reasons).length >= MAX_REASONS;
  const key = many ? '(other)' : reason;
  refused.reasons[key] = (refused.reasons[key] ?? 0) + 1;
  if (refused.examples.length >= MAX_EXAMPLES) return;
  const shown =
    value === undefined ? '' : `, not ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  refused.examples.push({ line, reason: reason + shown });
}

/** Counts rows that were kept as they are stored. */
export function keep(summary: Pick<ImportSummary, 'kept'>, ids: readonly string[]): void {
  if (ids.length === 0) return;
  const { count, examples } = summary.kept ?? { count: 0, examples: [] };
  summary.kept = {
    count: count + ids.length,
    examples: [...examples, ...ids.slice(0, MAX_EXAMPLES - examples.length)],
  };
}

export function progressOf(
  { read, inserted, updated, unchanged, kept, refused }: ImportSummary,
  fraction: number,
): ImportProgress {
  return { read, inserted, updated, unchanged: unchanged + (kept?.count ?? 0), refused: refused.count, fraction };
}
