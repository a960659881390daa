import type { FeatureRegistry } from '../../schemas/types.js';

/** The derived values that a table of synonyms gives its canonical names to. */
export function derivedFrom(registry: Pick<FeatureRegistry, 'derived'>, lookup: string): string[] {
  return registry.derived.flatMap(({ name, op }) => (op.kind === 'canonical' && op.lookup === lookup ? [name] : []));
}

/**
 * The canonical names that the model was trained to tell apart: the values of its `index_of` features over what the table yields.
 * @returns null where no feature lists any: then every name will do
 */
export function knownCanonicalNames(
  { derived, features }: Pick<FeatureRegistry, 'derived' | 'features'>,
  lookup: string,
): ReadonlySet<string> | null {
  const yielded = new Set(derivedFrom({ derived }, lookup));
  const lists = features.flatMap(({ op }) => (op.kind === 'index_of' && yielded.has(op.input) ? [op.values] : []));
  return lists.length === 0 ? null : new Set(lists.flat());
}

/**
 * The request's field that a table of synonyms translates, in the end; null where it translates nothing.
 */
export function translatedField({ derived }: Pick<FeatureRegistry, 'derived'>, lookup: string): string | null {
  const ops = new Map(derived.map(({ name, op }) => [name, op]));
  let input = derived.map(({ op }) => op).find((op) => op.kind === 'canonical' && op.lookup === lookup);
  for (let steps = 0; input !== undefined && steps <= derived.length; steps++) {
    if (input.kind !== 'canonical' && input.kind !== 'normalise') return null;
    const before = ops.get(input.input);
    if (before === undefined) return input.input;
    input = before;
  }
  return null;
}
