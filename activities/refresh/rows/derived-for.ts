import { opInputs } from '../../../domain/features/op-inputs.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { valueCheck, type DeclaredValues } from './value-checks.js';

type DerivedSpec = FeatureRegistry['derived'][number];

/**
 * The part of a registry that a job needs: the values its lookups are made from, what those hang on, and every value that reads a field of which the
 * spec declares something. So a row with an impossible amount is in no lookup, while a field that nothing here is made from is never read.
 * @returns in the registry's order
 */
export function derivedFor(
  derived: readonly DerivedSpec[],
  names: readonly string[],
  declared: DeclaredValues,
): DerivedSpec[] {
  const needed = new Set(names);
  // An op reads raw fields and what stands before it, so one pass from the end finds all.
  for (const { name, op } of [...derived].reverse()) {
    const inputs = opInputs(op).map((input) => input.name);
    if (!needed.has(name) && inputs.every((input) => valueCheck(input, declared) === null)) continue;
    for (const input of [name, ...inputs]) needed.add(input);
  }
  return derived.filter(({ name }) => needed.has(name));
}
