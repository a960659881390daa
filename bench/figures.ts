import { quantileOfSorted } from '../domain/lookups/quantile.js';

export const median = (values: readonly number[]): number => quantileOfSorted(Float64Array.from(values).sort(), 0.5);

/** three digits, as many as a noisy machine can mean */
export const round = (value: number): number => Number(value.toPrecision(3));

/** Lines of cells, the first of them the heads, as a text whose columns are below each other. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
