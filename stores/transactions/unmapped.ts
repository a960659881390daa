import type { Db } from 'mongodb';
import { normaliseText } from '../../domain/lookups/normalise.js';
import { spellings } from '../../domain/synonyms/compare.js';
import { translatedField } from '../../domain/synonyms/known.js';
import type { FeatureRegistry, ModelSpec, OperationTypeSynonyms } from '../../schemas/types.js';
import { countValues } from './window.js';

const DAY_MS = 86_400_000;
/** how many are listed one by one; the rest is counted */
const LISTED = 1_000;

/** Raw values of the trailing window that the table does not understand, most frequent first. */
export interface UnmappedValues {
  /** the request's field */
  field: string;
  window: { from: string; to: string };
  rows: number;
  unmapped_rows: number;
  values: { value: string; rows: number }[];
  /** values beyond those listed */
  more_values: number;
}

/**
 * Counts what a table does not understand, grouped where the data is; which of the groups are understood is decided by the rule that features use.
 * @returns null for a table that translates no field
 */
export async function unmappedValues(
  db: Db,
  { data, refresh }: Pick<ModelSpec, 'data' | 'refresh'>,
  registry: Pick<FeatureRegistry, 'derived'>,
  lookup: string,
  document: OperationTypeSynonyms,
  asOf: string,
): Promise<UnmappedValues | null> {
  const field = translatedField(registry, lookup);
  if (field === null) return null;
  const to = new Date(asOf);
  const from = new Date(to.getTime() - refresh.window_days * DAY_MS);
  const known = spellings(document);
  const found: UnmappedValues = {
    field,
    window: { from: from.toISOString(), to: to.toISOString() },
    rows: 0,
    unmapped_rows: 0,
    values: [],
    more_values: 0,
  };
  for await (const { _id: value, rows } of countValues(db, data, field, { from, to })) {
    found.rows += rows;
    if (typeof value !== 'string' || known.has(normaliseText(value))) continue;
    found.unmapped_rows += rows;
    if (found.values.length < LISTED) found.values.push({ value, rows });
    else found.more_values++;
  }
  return found;
}
