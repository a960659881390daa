import type { FeatureRegistry, GoldenVectors } from '../../schemas/types.js';
import { compileFeatures, type Lookups } from '../features/compile.js';
import { FeatureRefusal } from '../features/refusal.js';
import { BundleError } from './manifest.js';

/** What a bundle's models answer, row by row. */
export interface Scores {
  scores: readonly number[];
  calibrated: readonly number[];
  anomaly: readonly number[];
}

/** How far a score may lie from the one that training computed: the tolerance that the smoke test applies too. */
export const GOLDEN_TOLERANCE = 1e-5;

/** What training answered: features in, figures out. Part of `golden_features.json`, and the first layer of a bundle's golden vectors. */
export interface TrainedRows {
  feature_names: string[];
  rows: readonly (GoldenVectors['features'][number] & { row_id: string })[];
}

/** Transactions to be answered by a bundle; a field that is null was not there. */
export interface GoldenTransactions {
  feature_names: readonly string[];
  rows: readonly { row_id: string; raw: Record<string, string | number | null> }[];
}

/** A transaction and its features by the lookups of one bundle. */
export interface RawRow {
  transaction: Record<string, string | number>;
  features: number[];
}

/**
 * Training's golden transactions through this bundle's lookups. A transaction that they refuse (a currency that is no longer quoted) is
 * left out; if all are, nothing could ever be smoked, and that is an error.
 */
export function rawRows(registry: FeatureRegistry, lookups: Lookups, golden: GoldenTransactions): RawRow[] {
  const computer = compileFeatures(registry, lookups);
  if (computer.names.join('\n') !== golden.feature_names.join('\n'))
    throw new BundleError(
      'the golden transactions have other features, or another order, than the feature registry: it changed since the training',
    );
  const refusals: string[] = [];
  const rows = golden.rows.flatMap(({ raw, row_id }) => {
    const present = Object.entries(raw).filter((field): field is [string, string | number] => field[1] !== null);
    const transaction = Object.fromEntries(present);
    try {
      return [{ transaction, features: [...computer.compute(transaction).values] }];
    } catch (error) {
      if (!(error instanceof FeatureRefusal)) throw error;
      refusals.push(`${row_id}: ${error.message}`);
      return [];
    }
  });
  if (rows.length === 0)
    throw new BundleError(`none of the golden transactions can be scored: ${refusals.slice(0, 3).join('; ')}`);
  return rows;
}

/** The two parts of published golden vectors, so that another bundle can answer them. */
export function fromGoldenVectors({ feature_names, features, raw }: GoldenVectors): {
  trained: TrainedRows;
  transactions: GoldenTransactions;
} {
  return {
    trained: { feature_names, rows: features.map((row, i) => ({ ...row, row_id: `golden row ${i}` })) },
    transactions: {
      feature_names,
      rows: raw.map(({ transaction }, i) => ({
        row_id: `golden transaction ${i}`,
        raw: transaction,
      })),
    },
  };
}

/**
 * Both layers. `scored` holds the answers for training's rows first, then for the raw rows; the first must be what training computed,
 * or these are not the models that were trained.
 */
export function goldenVectors(golden: TrainedRows, raw: readonly RawRow[], scored: Scores): GoldenVectors {
  const at = (position: number) => {
    const [score, calibrated, anomaly] = [
      scored.scores[position],
      scored.calibrated[position],
      scored.anomaly[position],
    ];
    if (score === undefined || calibrated === undefined || anomaly === undefined)
      throw new BundleError(`${scored.scores.length} scores came back for ${golden.rows.length + raw.length} rows`);
    return { score, calibrated_probability: calibrated, anomaly_score: anomaly };
  };
  const features = golden.rows.map(
    ({ row_id, features: values, score, calibrated_probability, anomaly_score }, position) => {
      const row = { features: values, score, calibrated_probability, anomaly_score };
      const answer = at(position);
      for (const key of ['score', 'calibrated_probability', 'anomaly_score'] as const) {
        if (!(Math.abs(answer[key] - row[key]) <= GOLDEN_TOLERANCE))
          throw new BundleError(
            `${row_id}: ${key} is ${answer[key]}, training computed ${row[key]}: these are not the models that were trained`,
          );
      }
      return row;
    },
  );
  const rawLayer = raw.map((row, position) => ({ ...row, ...at(golden.rows.length + position) }));
  return { feature_names: golden.feature_names, features, raw: rawLayer };
}
