import type { Gate, ModelSpec } from '../../schemas/types.js';
import type { CheckResult, Metrics } from '../release/types.js';

const figure = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(4));

function measured(metrics: Metrics, name: string): number | null {
  const value = metrics[name];
  return value === undefined || value === null || !Number.isFinite(value) ? null : value;
}

/**
 * The gates as a table, one row a bound pair. A metric that is missing, null, NaN or infinite fails: no data is never a pass.
 * @param metrics figures on the held-out part, at the one declared operating threshold
 */
export function evaluateGates(metrics: Metrics, gates: readonly Gate[]): CheckResult[] {
  return gates.map(({ metric, min, max }) => {
    const observed = measured(metrics, metric);
    const required = [min === undefined ? '' : `≥ ${figure(min)}`, max === undefined ? '' : `≤ ${figure(max)}`]
      .filter(Boolean)
      .join(' and ');
    if (observed === null)
      return { name: metric, passed: false, observed, required, message: `${metric} was not measured` };
    if (min !== undefined && observed < min) {
      return {
        name: metric,
        passed: false,
        observed,
        required,
        message: `${metric} is ${figure(observed)}, ${figure(min - observed)} below ${figure(min)}`,
      };
    }
    if (max !== undefined && observed > max) {
      return {
        name: metric,
        passed: false,
        observed,
        required,
        message: `${metric} is ${figure(observed)}, ${figure(observed - max)} above ${figure(max)}`,
      };
    }
    return { name: metric, passed: true, observed, required, message: `${metric} is ${figure(observed)}` };
  });
}

/**
 * Candidate against champion on the same held-out rows. A figure that either side lacks fails.
 * @param comparison how far below the champion each metric may lie
 */
export function compareWithChampion(
  candidate: Metrics,
  champion: { version: string; metrics: Metrics } | null,
  comparison: readonly ModelSpec['champion_comparison'][number][],
): CheckResult[] {
  if (champion === null) return [];
  return comparison.map(({ metric, max_drop }) => {
    const name = `champion ${metric}`;
    const ours = measured(candidate, metric);
    const theirs = measured(champion.metrics, metric);
    if (ours === null || theirs === null) {
      const side = ours === null ? 'the candidate' : `the champion ${champion.version}`;
      return {
        name,
        passed: false,
        observed: ours,
        required: `within ${max_drop}`,
        message: `${metric} was not measured for ${side}`,
      };
    }
    const required = `≥ ${figure(theirs - max_drop)}`;
    const drop = theirs - ours;
    return drop > max_drop
      ? {
          name,
          passed: false,
          observed: ours,
          required,
          message: `${metric} is ${figure(ours)}, ${figure(drop)} below the champion's ${figure(theirs)}; ${max_drop} is allowed`,
        }
      : {
          name,
          passed: true,
          observed: ours,
          required,
          message: `${metric} is ${figure(ours)}, the champion's ${figure(theirs)}`,
        };
  });
}

/** Whether every row passed; an empty table does not. */
export function allPassed(checks: readonly CheckResult[]): boolean {
  return checks.length > 0 && checks.every(({ passed }) => passed);
}
