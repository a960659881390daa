import type { PerCategoryThresholds } from '../../schemas/types.js';

/** What an approver may set differently: operating thresholds; null takes a category's own threshold away. */
export interface ThresholdEdits {
  threshold?: number;
  per_category?: Record<string, number | null>;
}

/**
 * What is wrong with an approver's edits, with the field's path; null when nothing is.
 * @param categories those that exist
 */
export function checkEdits(edits: Record<string, unknown>, categories: readonly string[]): string | null {
  const unknown = Object.keys(edits).find((name) => name !== 'threshold' && name !== 'per_category');
  if (unknown !== undefined) return `/${unknown} is not known: threshold and per_category are`;
  const { threshold, per_category: own } = edits;
  if (threshold === undefined && own === undefined)
    return ' change nothing: name a threshold, or thresholds under per_category, or leave the edits out';
  if (threshold !== undefined && !isThreshold(threshold)) return '/threshold must be a number from 0 to 1';
  if (own === undefined) return null;
  if (typeof own !== 'object' || own === null || Array.isArray(own) || Object.keys(own).length === 0)
    return '/per_category must be an object of category → threshold, not empty';
  for (const [category, value] of Object.entries(own)) {
    if (!categories.includes(category))
      return `/per_category/${category} is no category of this model: ${categories.join(', ')}`;
    if (value !== null && !isThreshold(value))
      return `/per_category/${category} must be a number from 0 to 1, or null for the overall threshold`;
  }
  return null;
}

function isThreshold(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** The proposed thresholds with the approver's in their places; alert budgets stay as proposed. */
export function applyEdits(proposed: PerCategoryThresholds, edits: ThresholdEdits): PerCategoryThresholds {
  const own = new Map<string, number | null>([
    ...Object.entries(proposed.operating.per_category),
    ...Object.entries(edits.per_category ?? {}),
  ]);
  const kept = [...own].filter((entry): entry is [string, number] => entry[1] !== null);
  return {
    ...proposed,
    operating: {
      threshold: edits.threshold ?? proposed.operating.threshold,
      per_category: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}
