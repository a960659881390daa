import { chiSquaredQuantile } from './special.js';

/**
 * Population stability index Σ (c − r) ln(c ÷ r) over the bins' shares, r of the reference and c of the window. A share below epsilon counts as
 * epsilon: an empty bin would make the index infinite, and so it weighs what the policy says it may.
 */
export function populationStability(reference: readonly number[], current: readonly number[], epsilon: number): number {
  return reference.reduce((sum, share, i) => {
    const [r, c] = [Math.max(share, epsilon), Math.max(current[i] ?? 0, epsilon)];
    return sum + (c - r) * Math.log(c / r);
  }, 0);
}

/**
 * How large the index gets by chance alone. With n rows in the window and m in the reference from one distribution over B bins,
 *
 *   c − r has variance r(1 − r)(1/n + 1/m), and ln(c ÷ r) ≈ (c − r) ÷ r for small differences, so
 *   PSI ≈ Σ (c − r)² ÷ r = (1/n + 1/m) · X with X ~ χ² of B − 1 degrees of freedom
 *
 * (Yurdakul 2018, "Statistical properties of the population stability index"). The index exceeds (1/n + 1/m) times the upper `probability` point
 * of χ² with that probability: below it, a value says nothing, whatever the customary limits are.
 */
export function stabilityByChance(bins: number, n: number, m: number, probability: number): number {
  if (bins < 2 || n === 0 || m === 0) return 0;
  return (1 / n + 1 / m) * chiSquaredQuantile(probability, bins - 1);
}
