import type { FeatureRegistry } from '../../schemas/types.js';

/** Why a score may be high, in words that the registry declares. */
export interface Reason {
  code: string;
  text: string;
  feature: string;
  /** of the feature in the model's order */
  index: number;
  /** whether a feature's value lies beyond its declared bound, strictly */
  holds(value: number): boolean;
}

/** The reasons that a registry declares, in its order. */
export function compileReasons({ features }: Pick<FeatureRegistry, 'features'>): Reason[] {
  return features.flatMap(({ name, reason }, index) => {
    if (reason === undefined) return [];
    const { code, text, above = Infinity, below = -Infinity } = reason;
    return [{ code, text, feature: name, index, holds: (value: number) => value > above || value < below }];
  });
}
