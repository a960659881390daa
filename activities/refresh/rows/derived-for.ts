import { opInputs } from '../../../domain/features/op-inputs.js';
import type { FeatureRegistry } from '../../../schemas/types.js';

type DerivedSpec = FeatureRegistry['derived'][number];

/**
 * The part of a registry that a job needs: the values its lookups are made from and what those hang on, in the registry's order. A field that nothing
 * here is made from is never read.
 */
export function derivedFor(derived: readonly DerivedSpec[], names: readonly string[]): DerivedSpec[] {
  const needed = new Set(names);
  // An op reads raw fields and what stands before it, so one pass from the end finds all.
  for (const { name, op } of [...derived].reverse())
    if (needed.has(name)) for (const input of opInputs(op)) needed.add(input.name);
  return derived.filter(({ name }) => needed.has(name));
}
