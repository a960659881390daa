import type { FeatureRegistry } from '../../schemas/types.js';
import { shortestFloat32 } from './float32.js';

/** Why a score may be high, in words that the registry declares. */
export interface ReasonCode {
  code: string;
  text: string;
  feature: string;
  value: number;
}

/**
 * The reasons whose feature lies beyond its declared bound (strictly), in the registry's order.
 * @param values one row of features, in the registry's order, from `offset` on
 */
export function reasonCodes(
  { features }: Pick<FeatureRegistry, 'features'>,
  values: ArrayLike<number>,
  offset = 0,
): ReasonCode[] {
  const found: ReasonCode[] = [];
  for (const [index, { name, reason }] of features.entries()) {
    const value = values[offset + index];
    if (reason === undefined || value === undefined) continue;
    const { code, text, above, below } = reason;
    if ((above !== undefined && value > above) || (below !== undefined && value < below))
      found.push({ code, text, feature: name, value: shortestFloat32(value) });
  }
  return found;
}
