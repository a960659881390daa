import { LABEL, NO_SEGMENT, type ScoredRows } from './rows.js';

/**
 * Rows counted by segment, label and what the old and the new thresholds decide, with the money in each cell: every figure is a sum over
 * cells, so a bootstrap round only has to count anew.
 */
export interface Cells {
  /** rows in the cell */
  count: Float64Array;
  /** sum of their amounts; kept for frauds only */
  amount: Float64Array;
}

const LABELS = 3;
const PER_SEGMENT = LABELS * 4;

export type Which = 'old' | 'new';

/** Segments come in the rows' order; rows without one lie in a segment behind the last. */
export function cellCount(rows: ScoredRows): number {
  return (rows.segments.length + 1) * PER_SEGMENT;
}

/** Each row's cell. */
export function cellsOf(rows: ScoredRows, oldAlerts: Uint8Array, newAlerts: Uint8Array): Uint32Array {
  const cells = new Uint32Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    const segment = rows.segment[i] === NO_SEGMENT ? rows.segments.length : (rows.segment[i] as number);
    cells[i] =
      segment * PER_SEGMENT + (rows.label[i] as number) * 4 + (oldAlerts[i] as number) * 2 + (newAlerts[i] as number);
  }
  return cells;
}

export function emptyCells(size: number): Cells {
  return { count: new Float64Array(size), amount: new Float64Array(size) };
}

/** Whether a cell holds frauds: only their amounts are summed. */
export function holdsFrauds(cell: number): boolean {
  return Math.floor((cell % PER_SEGMENT) / 4) === LABEL.fraud;
}

/** Counts rows into cells; `include` leaves out those it does not name (a week of the backtest). */
export function countCells(
  rows: ScoredRows,
  cellOf: Uint32Array,
  include: (bookedAt: number) => boolean = () => true,
): Cells {
  const cells = emptyCells(cellCount(rows));
  for (let i = 0; i < rows.count; i++) {
    if (!include(rows.bookedAt[i] as number)) continue;
    const cell = cellOf[i] as number;
    cells.count[cell] = (cells.count[cell] as number) + 1;
    if (rows.label[i] === LABEL.fraud) cells.amount[cell] = (cells.amount[cell] as number) + (rows.amount[i] as number);
  }
  return cells;
}

/** What a set of thresholds did in a group of rows. */
export interface Counts {
  rows: number;
  labelled: number;
  frauds: number;
  fraudAmount: number;
  /** labelled or not */
  alerts: number;
  /** of known label */
  labelledAlerts: number;
  caught: number;
  caughtAmount: number;
}

/** @param segment index of a segment, or null for everything */
export function countsOf(cells: Cells, which: Which, segment: number | null): Counts {
  const counts = {
    rows: 0,
    labelled: 0,
    frauds: 0,
    fraudAmount: 0,
    alerts: 0,
    labelledAlerts: 0,
    caught: 0,
    caughtAmount: 0,
  };
  const from = segment === null ? 0 : segment * PER_SEGMENT;
  const to = segment === null ? cells.count.length : from + PER_SEGMENT;
  for (let cell = from; cell < to; cell++) {
    const rows = cells.count[cell] as number;
    if (rows === 0) continue;
    const within = cell % PER_SEGMENT;
    const label = Math.floor(within / 4);
    const alerted = which === 'old' ? (within & 2) !== 0 : (within & 1) !== 0;
    const amount = cells.amount[cell] as number;
    counts.rows += rows;
    if (alerted) counts.alerts += rows;
    if (label === LABEL.unknown) continue;
    counts.labelled += rows;
    if (alerted) counts.labelledAlerts += rows;
    if (label !== LABEL.fraud) continue;
    counts.frauds += rows;
    counts.fraudAmount += amount;
    if (!alerted) continue;
    counts.caught += rows;
    counts.caughtAmount += amount;
  }
  return counts;
}
