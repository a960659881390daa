import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { compileFeatures, type FeatureComputer, type Lookups } from '../../domain/features/compile.js';
import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import { FrequencyBuilder } from '../../domain/lookups/frequency.js';
import { RobustStatsBuilder } from '../../domain/lookups/robust-stats.js';
import { loadModel, type LoadedModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';

const AS_OF = '2025-06-30T00:00:00.000Z';
const MATURE_UNTIL_MS = Date.parse('2025-05-31T00:00:00.000Z');
/** what training fits on: the rest is for validation and test */
const FITTED_SHARE = 0.65;
/** a stand-in for the lookup window: the last part of what is fitted on */
const LOOKUP_SHARE = 0.3;

export type Transaction = Record<string, string | number>;

export interface DemoRows {
  model: LoadedModel;
  /** the mature transactions in order of time */
  transactions: Transaction[];
  bookedAtMs: Float64Array;
  labels: Uint8Array;
  segments: (string | null)[];
  /** how many of them training fits on */
  fitted: number;
  computer: FeatureComputer;
  /** what it was compiled with */
  lookups: Lookups;
  fixings: Fixing[];
  /** the features of some transactions, by name */
  featuresOf: (transactions: readonly Transaction[]) => Record<string, Float32Array>;
}

/** The demo's transactions and their features, computed by the model's own code with lookups of their own. Takes two seconds. */
export async function demoRows(): Promise<DemoRows> {
  const model = await loadModel(projectPath('models'), 'ulb_gbdt');
  const { registry, spec, staticLookups } = model;
  const raw = csv(gunzipSync(readFileSync(projectPath('data', 'bank_transactions_demo.csv.gz'))))
    .map((row) => ({ ...row, at: Date.parse(row['booked_at'] ?? '') }))
    .filter(({ at }) => at < MATURE_UNTIL_MS)
    .sort((a, b) => a.at - b.at);
  const transactions = raw.map(({ at: _at, ...row }) => ({ ...row, amount: Number((row as Transaction)['amount']) }));
  const fitted = Math.floor(transactions.length * FITTED_SHARE);

  const fixings = csv(readFileSync(projectPath('data', 'ecb_fixings.csv'))).map(({ Date: day = '', ...rates }) => ({
    _id: day,
    base: 'EUR',
    rates: Object.fromEntries(Object.entries(rates).map(([currency, rate]) => [currency, Number(rate)])),
  }));
  const ready = {
    operation_type_synonyms: staticLookups['operation_type_synonyms']?.document,
    fx_rates: buildFxRates(fixings, { baseCurrency: spec.base_currency, asOf: AS_OF, trailingDays: 365 }),
  };
  const deriver = compileFeatures({ derived: registry.derived, features: [] }, ready);
  const [merchants, amounts] = [new FrequencyBuilder(), new RobustStatsBuilder()];
  const segments = transactions.map((transaction, row) => {
    const { derived } = deriver.compute(transaction);
    const segment = derived['operation_type_canonical'] as string | null;
    if (row >= fitted * (1 - LOOKUP_SHARE) && row < fitted) {
      merchants.add(derived['merchant_normalised'] as string);
      amounts.add(segment, derived['amount_base'] as number);
    }
    return segment;
  });
  const lookups = {
    ...ready,
    merchant_freq_map: merchants.build({ minCount: 5 }),
    category_stats: amounts.build({ unit: 'USD', minRows: 50 }),
  };
  const computer = compileFeatures(registry, lookups);
  return {
    model,
    transactions,
    bookedAtMs: Float64Array.from(raw, ({ at }) => at),
    labels: Uint8Array.from(raw, (row) => Number((row as Transaction)['is_fraud'])),
    segments,
    fitted,
    computer,
    lookups,
    fixings,
    featuresOf(some) {
      const width = computer.names.length;
      const all = new Float32Array(some.length * width);
      some.forEach((transaction, row) => void computer.computeInto(transaction, all, row * width));
      return Object.fromEntries(
        computer.names.map((name, at) => [name, Float32Array.from(some, (_, row) => all[row * width + at] ?? NaN)]),
      );
    },
  };
}

function csv(bytes: Buffer): Record<string, string>[] {
  return parse(bytes, { columns: true });
}
