interface Scoring {
  _id: string;
  transaction_id: string;
  scored_at: Date;
}

/**
 * Of neighbours with the same transaction the newest scoring: a request that was sent again is scored again. Scored in the same
 * millisecond, the greater `_id` counts, so that the answer does not depend on the order.
 */
export function newestOfEach<T extends Scoring>(rows: readonly T[]): T[] {
  const kept: T[] = [];
  for (const row of rows) {
    const before = kept[kept.length - 1];
    if (before === undefined || before.transaction_id !== row.transaction_id) kept.push(row);
    else if (isNewer(row, before)) kept[kept.length - 1] = row;
  }
  return kept;
}

function isNewer(row: Scoring, than: Scoring): boolean {
  const later = row.scored_at.getTime() - than.scored_at.getTime();
  return later === 0 ? row._id > than._id : later > 0;
}
