import type { FeatureRegistry, Op } from '../../schemas/types.js';

/** How a feature is described and compared. */
export interface ColumnKind {
  name: string;
  kind: 'numeric' | 'categorical';
  /** what the null policy sets: a row with it counts as missing */
  missing_value: number | null;
  /** a value of the calendar: how long until it comes round again */
  period_hours: number | null;
}

/**
 * The features of a registry, in its order. An index and the parts of a time are categories, whatever number stands for them; everything else is
 * a number.
 */
export function columnKinds(registry: Pick<FeatureRegistry, 'features'>): ColumnKind[] {
  return registry.features.map(({ name, op, null_policy }) => ({
    name,
    kind: op.kind === 'index_of' || periodHours(op) !== null ? 'categorical' : 'numeric',
    missing_value: null_policy.on_null === 'impute' ? null_policy.value : null,
    period_hours: periodHours(op),
  }));
}

function periodHours(op: Op): number | null {
  if (op.kind === 'hour_of_day') return 24;
  return op.kind === 'day_of_week' ? 7 * 24 : null;
}
