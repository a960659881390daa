import type { Db } from 'mongodb';
import { SluiceError } from '../../../platform/errors.js';
import { timedAggregation } from '../../../platform/mongo-timing.js';
import type { FeatureRegistry, ModelSpec } from '../../../schemas/types.js';
import { countValues } from '../../../stores/transactions/window.js';

const DAY_MS = 86_400_000;
/** ISO 4217 has fewer than 200; more means that the field holds something else */
const MAX_CURRENCIES = 1_000;

/**
 * The currencies that the trailing window's rows are in, most frequent first, counted where the data is. The fields are those that the registry's
 * conversions read.
 * @throws SluiceError NoData for an empty window: what nobody needs cannot be checked
 */
export async function currenciesSeen(
  db: Db,
  { data, refresh }: Pick<ModelSpec, 'data' | 'refresh'>,
  registry: Pick<FeatureRegistry, 'derived'>,
  asOf: string,
): Promise<{ currencies: { currency: string; rows: number }[]; notes: string[] }> {
  const to = new Date(asOf);
  const from = new Date(to.getTime() - refresh.window_days * DAY_MS);
  const fields = new Set(registry.derived.flatMap(({ op }) => (op.kind === 'convert' ? [op.currency] : [])));
  const seen = new Map<string, number>();
  const notes: string[] = [];
  for (const field of fields) {
    const groups = await timedAggregation(data.collection, () =>
      countValues(db, data, field, { from, to }, MAX_CURRENCIES).toArray(),
    );
    if (groups.length === 0)
      throw new SluiceError(
        'NoData',
        `${data.collection} has no row between ${from.toISOString()} and ${to.toISOString()}: import transactions, or choose an asOf that they reach.`,
      );
    for (const { _id: currency, rows } of groups) {
      if (typeof currency === 'string') seen.set(currency, (seen.get(currency) ?? 0) + rows);
      else notes.push(`${rows} rows of the window have no text as /${field}: they are not converted`);
    }
  }
  return { currencies: [...seen].map(([currency, rows]) => ({ currency, rows })), notes };
}
