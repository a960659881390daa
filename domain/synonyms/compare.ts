import type { OperationTypeSynonyms } from '../../schemas/types.js';
import { normaliseText } from '../lookups/normalise.js';
import type { Difference } from '../refresh/compare.js';

/** Every spelling that a table understands, normalised, and the canonical name it stands for; a canonical name stands for itself. */
export function spellings({ canonical, synonyms }: OperationTypeSynonyms): Map<string, string> {
  const own = canonical.map((name): [string, string] => [name, name]);
  return new Map([...Object.entries(synonyms), ...own].map(([spelling, name]) => [normaliseText(spelling), name]));
}

/**
 * How far an edited table lies from the live one. Changed are the spellings that came or went, and those that stand for another name now.
 */
export function compareSynonyms(made: OperationTypeSynonyms, live: OperationTypeSynonyms): Difference {
  const [now, before] = [spellings(made), spellings(live)];
  const all = new Set([...now.keys(), ...before.keys()]);
  const changed = [...all].filter((key) => now.get(key) !== before.get(key));
  return { size: { live: before.size, own: now.size }, changed: { keys: changed.length, of: all.size }, move: null };
}
