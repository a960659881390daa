import { LABEL, NO_SEGMENT, type ScoredRows } from './rows.js';

/**
 * Precision among the share of labelled rows with the highest scores, rounded up to whole rows; ties go by booking, the earlier first: as
 * training computes it. For everything first, then segment by segment.
 * @param order `rankRows(rows)`
 * @returns [group][share]; null for a group without labelled rows
 */
export function precisionAt(rows: ScoredRows, order: Uint32Array, shares: readonly number[]): (number | null)[][] {
  const groups = rows.segments.length + 1;
  const labelled = new Float64Array(groups);
  const each = (work: (group: number, fraud: boolean) => void): void => {
    for (let k = 0; k < order.length; k++) {
      const i = order[k] as number;
      if (rows.label[i] === LABEL.unknown) continue;
      const fraud = rows.label[i] === LABEL.fraud;
      work(0, fraud);
      if (rows.segment[i] !== NO_SEGMENT) work((rows.segment[i] as number) + 1, fraud);
    }
  };
  each((group) => (labelled[group] = (labelled[group] as number) + 1));
  const wanted = Array.from(labelled, (count) => shares.map((share) => Math.ceil(share * count)));
  const caught = wanted.map((counts) => counts.map(() => 0));
  const seen = new Float64Array(groups);
  each((group, fraud) => {
    const rank = (seen[group] = (seen[group] as number) + 1);
    if (!fraud) return;
    const [limits, hits] = [wanted[group] as number[], caught[group] as number[]];
    for (let s = 0; s < limits.length; s++) if (rank <= (limits[s] as number)) hits[s] = (hits[s] as number) + 1;
  });
  return wanted.map((counts, group) =>
    counts.map((count, s) => (count === 0 ? null : ((caught[group] as number[])[s] as number) / count)),
  );
}
