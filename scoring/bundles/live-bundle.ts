import { compileFeatures } from '../../domain/features/compile.js';
import { reasonCodes } from '../../domain/features/reasons.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import { compileDecision } from '../../domain/scoring-decision/decide.js';
import { compileIsotonic } from '../../domain/scoring-decision/isotonic.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import type { Violation } from '../../platform/validate.js';
import type { FxRates, ModelSpec, Pointer } from '../../schemas/types.js';
import type { ScoredTransaction, Versions } from '../serving/api-schemas.js';
import { checkParity } from './parity.js';
import { lateRatesNotice } from './late-rates.js';
import { startModelRunner, type ModelRunnerOptions } from './onnx/model-runner.js';
import { RefusedInput } from '../serving/refused-input.js';
import { compileRequestValidator, MAX_VIOLATIONS } from './request-validator.js';

/** How a bundle came here. */
export interface Origin {
  from: 'store' | 'cache' | 'pinned';
  /** null when pinned: no pointer, no generation */
  generation: number | null;
  environment: Pointer['environment'];
  pointer: Pointer | null;
}

export type Rates = Pick<FxRates, 'last_updated' | 'fixing_date'>;

/** Scored transactions, and from what their scores came, for whoever records it. */
export interface Scored {
  results: ScoredTransaction[];
  /** row by row, `featureNames.length` values each */
  features: Float32Array;
  /** the category whose threshold applies, by transaction */
  segments: (string | null)[];
}

/** Everything that one request is answered with: model, features, lookups, thresholds and metadata of one bundle. */
export interface LiveBundle {
  readonly loaded: LoadedBundle;
  readonly origin: Origin;
  readonly versions: Versions;
  /** the exchange rates it converts with; null for a model without any */
  readonly rates: Rates | null;
  readonly loadedAt: string;
  /** in the order of the model's input */
  readonly featureNames: readonly string[];
  /** whether the models' thread is up */
  readonly healthy: boolean;
  /**
   * All or none: one refused transaction refuses the list.
   * @param pathOf the JSON pointer of a transaction in the request, for the violations' paths
   * @throws RefusedInput; SluiceError Unreachable when the models are down or overloaded
   */
  score(transactions: readonly unknown[], pathOf: (index: number) => string): Promise<Scored>;
  close(): Promise<void>;
}

export type OpenOptions = Omit<ModelRunnerOptions, 'models'> & {
  spec: Pick<ModelSpec, 'segment' | 'lookups'>;
};

/**
 * Compiles a verified bundle, starts its models on their thread, and lets it answer its own golden vectors before anyone else's rows.
 * @throws SluiceError IntegrityError when it does not answer as training did
 */
export async function openLiveBundle(loaded: LoadedBundle, origin: Origin, options: OpenOptions): Promise<LiveBundle> {
  const { spec } = options;
  const computer = compileFeatures(loaded.featureRegistry, loaded.lookups);
  const calibrate = compileIsotonic(loaded.isotonic);
  const decide = compileDecision({ thresholds: loaded.thresholds, rules: loaded.rules, featureNames: computer.names });
  const validate = compileRequestValidator(loaded.requestSchema);
  const width = computer.names.length;
  const rates = ratesOf(loaded, spec);
  const lateRates = lateRatesNotice(loaded.featureRegistry, rates);
  const runner = await startModelRunner({
    ...options,
    models: { pipeline: loaded.pipelineOnnx, anomaly: loaded.anomalyOnnx, width },
  });

  const score: LiveBundle['score'] = async (transactions, pathOf) => {
    const violations: Violation[] = [];
    const features = new Float32Array(transactions.length * width);
    const rows = transactions.map((transaction, index) => {
      const found = validate(transaction);
      try {
        if (found.length === 0) return computer.computeInto(transaction, features, index * width);
      } catch (error) {
        if (!(error instanceof FeatureRefusal)) throw error;
        found.push({ path: error.path, message: error.detail });
      }
      for (const { path, message } of found) violations.push({ path: pathOf(index) + path, message });
      return null;
    });
    if (violations.length > 0) throw new RefusedInput(violations.slice(0, MAX_VIOLATIONS));

    const { scores, anomalies } = await runner.run(features);
    const segments = rows.map((row) => {
      const segment = row?.derived[spec.segment];
      return typeof segment === 'string' ? segment : null;
    });
    const results = rows.map((row, index) => {
      const raw = scores[index] as number;
      const calibrated = calibrate(raw);
      const segment = segments[index] ?? null;
      const offset = index * width;
      const verdict = decide({ calibrated, segment, values: features, offset });
      const { name, value } = verdict.decided_by;
      const rule =
        verdict.reason_code === null
          ? []
          : [{ code: verdict.reason_code, text: `rule ${name}`, feature: ruleFeature(loaded, name), value }];
      return {
        transaction_id: (transactions[index] as { transaction_id: string }).transaction_id,
        score: raw,
        calibrated_probability: calibrated,
        anomaly_score: anomalies[index] as number,
        decision: verdict.decision,
        decided_by: verdict.decided_by,
        threshold: verdict.threshold,
        reason_codes: [...rule, ...reasonCodes(loaded.featureRegistry, features, offset)],
        notices: [...(row?.notices ?? []), ...lateRates(transactions[index])],
      };
    });
    return { results, features, segments };
  };

  try {
    await checkParity(loaded, { computer, validate, calibrate, run: (features) => runner.run(features) });
  } catch (error) {
    await runner.close();
    throw error;
  }
  return {
    loaded,
    origin,
    versions: versionsOf(loaded, origin, rates),
    rates,
    loadedAt: new Date().toISOString(),
    featureNames: computer.names,
    get healthy() {
      return runner.healthy;
    },
    score,
    close: () => runner.close(),
  };
}

function ruleFeature(loaded: LoadedBundle, name: string): string {
  return loaded.rules.rules.find((rule) => rule.name === name)?.feature ?? '';
}

function ratesOf({ lookups }: LoadedBundle, spec: OpenOptions['spec']): Rates | null {
  const fixings = Object.entries(spec.lookups).find(([, { builder }]) => builder === 'fixings')?.[0];
  return fixings === undefined ? null : (lookups[fixings] as Rates);
}

function versionsOf({ manifest, manifestSha256 }: LoadedBundle, origin: Origin, rates: Rates | null): Versions {
  return {
    model: manifest.model_name,
    model_version: manifest.model_version,
    bundle_version: manifest.version,
    manifest_sha256: manifestSha256,
    generation: origin.generation,
    thresholds_sha256: manifest.files[BUNDLE_FILE.thresholds]?.sha256 ?? '',
    fx_last_updated: rates?.last_updated ?? null,
  };
}
