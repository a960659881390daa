import { quoted } from '../../../domain/features/refusal.js';
import type { ModelSpec } from '../../../schemas/types.js';

export type DeclaredValues = Pick<ModelSpec['data']['checks'], 'ranges' | 'allowed_values'>;

/** Why a value lies outside what the spec declares of its field; null where it lies inside, or is of a type that the ops refuse anyway. */
export type ValueCheck = (value: unknown) => string | null;

/** The check of one field, null where the spec declares nothing of it. A training does not start on such a row; a lookup leaves it out. */
export function valueCheck(field: string, { ranges, allowed_values }: DeclaredValues): ValueCheck | null {
  const { min = -Infinity, max = Infinity } = ranges[field] ?? {};
  const allowed = allowed_values[field];
  if (ranges[field] === undefined && allowed === undefined) return null;
  const known = new Set<unknown>(allowed);
  return (value) => {
    if (typeof value === 'number') {
      if (value < min) return `/${field} is below ${min}`;
      if (value > max) return `/${field} is above ${max}`;
    }
    if (typeof value === 'string' && allowed !== undefined && !known.has(value))
      return `/${field} ${quoted(value)} is not among the allowed values`;
    return null;
  };
}
