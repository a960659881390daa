import type { DriftDay } from '../../domain/drift/day.js';
import type { SnapshotComparison } from '../../domain/drift/snapshot.js';
import type { DriftReport, DriftSnapshot } from '../../schemas/types.js';
import type { DriftProgress } from '../../workflows/monitorDrift/contract.js';
import type { Shown } from '../runs/kind.js';
import { stepLines } from '../runs/text.js';

const percent = (value: number | null): string => (value === null ? 'not measured' : `${(100 * value).toFixed(2)} %`);
const figure = (value: number | null, digits = 4): string => (value === null ? 'not measured' : value.toFixed(digits));

/** A day in short: the verdict and why, the alert rate, what was asked for. */
export function dayText(day: DriftDay): string {
  const { sustained } = day;
  return [
    `${day.model} as of ${day.asOf}: ${day.verdict}`,
    day.why,
    `${day.rows.toLocaleString('en')} rows against ${day.bundleVersion === '' ? 'nothing' : day.bundleVersion}; the newest ${day.stalenessHours === null ? 'unknown' : `${day.stalenessHours.toFixed(1)} h before the end of the window`}`,
    day.alertRate === null
      ? `alert rate: not measured (${day.rows.toLocaleString('en')} rows)`
      : `alert rate ${percent(day.alertRate)}${day.alertRateRatio === null ? '' : `, ${day.alertRateRatio.toFixed(2)} times the reference's`}`,
    `drift on ${sustained.days} of the last ${sustained.of} days (retraining at ${sustained.required})`,
  ].join('\n');
}

/** Features as a table, the worst verdicts first. */
export function reportText(report: DriftReport): string {
  const rank = { drift: 0, warn: 1, inconclusive: 2, ok: 3 };
  const columns = [...report.features, report.prediction].sort((a, b) => rank[a.verdict] - rank[b.verdict]);
  const width = Math.max(...columns.map(({ name }) => name.length), 7);
  return [
    `  ${'feature'.padEnd(width)}  ${'verdict'.padEnd(12)}  ${'PSI'.padStart(12)}  ${'adjusted p'.padStart(12)}`,
    ...columns.map((column) => {
      const psi = report.psi[column.name] ?? column.scopes[0]?.psi ?? null;
      const p = report.p_values[column.name] ?? column.scopes[0]?.p_adjusted ?? null;
      return `  ${column.name.padEnd(width)}  ${column.verdict.padEnd(12)}  ${figure(psi).padStart(12)}  ${(p === null ? 'not measured' : p.toPrecision(3)).padStart(12)}`;
    }),
  ].join('\n');
}

/** The outcome of a run for people. */
export function outcomeText(
  { progress, error, url }: Pick<Shown<unknown, DriftProgress>, 'progress' | 'error' | 'url'>,
  withSteps: boolean,
): string {
  const { status, day, snapshot, retraining, mlflowUrl, why } = progress;
  const lines = [`${status}${day === null && why !== null ? `: ${why}` : ''}`];
  if (withSteps) lines.push('', ...stepLines(progress.steps), '');
  if (day !== null) lines.push(dayText(day));
  if (snapshot !== null)
    lines.push(`${snapshot.rows.toLocaleString('en')} rows in ${snapshot.snapshotKey ?? 'no snapshot'}`);
  if (retraining?.outcome === 'started') lines.push(`retraining: sluice release watch ${retraining.claim.releaseId}`);
  if (retraining?.outcome === 'cooling-down')
    lines.push(`no retraining before ${retraining.until}: ${retraining.claim.releaseId} was the last`);
  if (mlflowUrl !== null) lines.push(mlflowUrl);
  if (error !== null && error !== why) lines.push(`ended with: ${error}`);
  return [...lines, url].join('\n');
}

/** A week's columns: missing fraction, and quantiles or categories. */
export function snapshotText(snapshot: DriftSnapshot): string {
  const { columns, probabilities } = snapshot;
  const width = Math.max(...columns.map(({ name }) => name.length), 7);
  const at = (quantiles: number[], probability: number): string => {
    const index = probabilities.findIndex((p) => Math.abs(p - probability) < 1e-9);
    return quantiles[index]?.toPrecision(5) ?? '';
  };
  return [
    `${snapshot.model}: ${snapshot.from} to ${snapshot.to}, ${snapshot.rows.toLocaleString('en')} rows, ${snapshot.bundle_version}`,
    '',
    `  ${'column'.padEnd(width)}  ${'missing'.padStart(12)}  p5, median, p95; or categories`,
    ...columns.map(({ name, missing_fraction, quantiles, categories }) => {
      const values =
        quantiles === null
          ? `${categories?.length ?? 0} categories`
          : [0.05, 0.5, 0.95].map((p) => at(quantiles, p)).join(', ');
      return `  ${name.padEnd(width)}  ${percent(missing_fraction).padStart(12)}  ${values}`;
    }),
  ].join('\n');
}

/** How two weeks differ, the largest shift first. */
export function comparisonText(before: DriftSnapshot, after: DriftSnapshot, comparison: SnapshotComparison): string {
  const { differences, gone, added } = comparison;
  const width = Math.max(...differences.map(({ name }) => name.length), 7);
  const span = ({ from, to, rows }: DriftSnapshot): string =>
    `${from.slice(0, 10)} to ${to.slice(0, 10)} (${rows.toLocaleString('en')} rows)`;
  return [
    `${span(before)} → ${span(after)}`,
    '',
    `  ${'column'.padEnd(width)}  ${'PSI'.padStart(12)}  ${'effect'.padStart(12)}  missing; median, or categories that came and went`,
    ...differences.map((one) => {
      const values =
        one.median === null
          ? `${one.came.length} came, ${one.went.length} went`
          : one.median.map((value) => value.toPrecision(5)).join(' → ');
      return `  ${one.name.padEnd(width)}  ${figure(one.psi).padStart(12)}  ${figure(one.effect).padStart(12)}  ${percent(one.missingBefore)} → ${percent(one.missingAfter)}; ${values}`;
    }),
    ...(gone.length === 0 ? [] : [`only in the earlier week: ${gone.join(', ')}`]),
    ...(added.length === 0 ? [] : [`only in the later week: ${added.join(', ')}`]),
  ].join('\n');
}
