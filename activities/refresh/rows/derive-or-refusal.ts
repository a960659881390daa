import type { Derived, FeatureComputer } from '../../../domain/features/compile.js';
import { FeatureRefusal } from '../../../domain/features/refusal.js';

const NO_FEATURES = new Float32Array(0);

/** The derived values of a row, or why the feature registry refuses it. */
export function deriveOrRefusal(computer: FeatureComputer, row: unknown): Derived | string {
  try {
    return computer.computeInto(row, NO_FEATURES, 0).derived;
  } catch (error) {
    if (error instanceof FeatureRefusal) return error.message;
    throw error;
  }
}

/** A number that no quantile can be taken of: the product of two finite ones may be infinite. */
export function tooLarge(name: string): string {
  return `${name} is too large for a number`;
}
