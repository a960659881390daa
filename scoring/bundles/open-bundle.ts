import type { BundleId } from '../../domain/bundle/id.js';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import { compileFeatures } from '../../domain/features/compile.js';
import { FeatureRefusal } from '../../domain/features/refusal.js';
import { compileDecider, mustBeNumber, type Decider } from '../../domain/scoring-decision/decide.js';
import { compileIsotonic } from '../../domain/scoring-decision/isotonic.js';
import type { Violation } from '../../platform/validate.js';
import type { FxRates, ModelSpec } from '../../schemas/types.js';
import { lateRatesNotice } from './late-rates.js';
import type { ModelOutput } from './model-output.js';
import { openModels, type ModelOptions, type Models } from './models.js';
import { checkParity } from './parity.js';
import { RefusedInput } from './refused-input.js';
import { compileRequestValidator, MAX_VIOLATIONS } from './request-validator.js';
import { BY_THRESHOLD, FIGURES, type ScoredRows } from './scored-rows.js';

export type Rates = Pick<FxRates, 'last_updated' | 'fixing_date'>;

/** A bundle ready to score: model, features, lookups, thresholds and metadata. It knows its files, and nothing of a pointer. */
export interface OpenBundle {
  readonly id: BundleId;
  readonly loaded: LoadedBundle;
  /** the exchange rates it converts with; null for a model without any */
  readonly rates: Rates | null;
  readonly openedAt: string;
  /** in the order of the model's input */
  readonly featureNames: readonly string[];
  readonly decider: Decider;
  readonly models: Omit<Models, 'run' | 'close'>;
  /**
   * All or none: one refused transaction refuses the list. Answers in the same tick where the models can.
   * @param pathOf the JSON pointer of a transaction in the request, for the violations' paths
   * @throws RefusedInput; SluiceError Unreachable when the models are down or overloaded
   */
  score(transactions: readonly unknown[], pathOf: (index: number) => string): ScoredRows | Promise<ScoredRows>;
  /** When nobody works with it any more. */
  close(): Promise<void>;
}

export type OpenOptions = ModelOptions & {
  spec: Pick<ModelSpec, 'segment' | 'lookups'>;
};

/**
 * Compiles a verified bundle, starts its models, and lets it answer its own golden vectors before anyone else's rows.
 * @throws SluiceError IntegrityError when it does not answer as training did
 */
export async function openBundle(loaded: LoadedBundle, options: OpenOptions): Promise<OpenBundle> {
  const { spec } = options;
  const computer = compileFeatures(loaded.featureRegistry, loaded.lookups);
  const calibrate = compileIsotonic(loaded.isotonic);
  const decider = compileDecider({ thresholds: loaded.thresholds, rules: loaded.rules, featureNames: computer.names });
  const validate = compileRequestValidator(loaded.requestSchema);
  const width = computer.names.length;
  const rates = ratesOf(loaded, spec);
  const lateRates = lateRatesNotice(loaded.featureRegistry, rates);
  const golden = Float32Array.from(loaded.golden.features.flatMap(({ features }) => features));
  const models = await openModels(
    { pipeline: loaded.pipelineOnnx, anomaly: loaded.anomalyOnnx, width },
    golden,
    options,
  );

  const score: OpenBundle['score'] = (transactions, pathOf) => {
    const rows = transactions.length;
    const violations: Violation[] = [];
    const features = new Float32Array(rows * width);
    const segments = new Array<string | null>(rows).fill(null);
    const notices: ScoredRows['notices'][number][] = [];
    for (let row = 0; row < rows; row += 1) {
      const transaction = transactions[row];
      const found = validate(transaction);
      try {
        if (found.length === 0) {
          const computed = computer.computeInto(transaction, features, row * width);
          const segment = computed.derived[spec.segment];
          if (typeof segment === 'string') segments[row] = segment;
          const late = lateRates(transaction);
          notices.push(late.length === 0 ? computed.notices : [...computed.notices, ...late]);
          continue;
        }
      } catch (error) {
        if (!(error instanceof FeatureRefusal)) throw error;
        found.push({ path: error.path, message: error.detail });
      }
      for (const { path, message } of found) violations.push({ path: pathOf(row) + path, message });
    }
    if (violations.length > 0) throw new RefusedInput(violations.slice(0, MAX_VIOLATIONS));

    const decided = (output: ModelOutput): ScoredRows => {
      const { figures, decidedBy } = decideRows(output, features, width, segments, decider, calibrate);
      return { rows, features, figures, decidedBy, segments, notices };
    };
    const output = models.run(features);
    return output instanceof Promise ? output.then(decided) : decided(output);
  };

  try {
    await checkParity(loaded, { computer, validate, calibrate, run: async (values) => models.run(values) });
  } catch (error) {
    await models.close();
    throw error;
  }
  return {
    id: { version: loaded.version, manifestSha256: loaded.manifestSha256 },
    loaded,
    rates,
    openedAt: new Date().toISOString(),
    featureNames: computer.names,
    decider,
    models,
    score,
    close: () => models.close(),
  };
}

/** What the models' answers mean, row by row. */
function decideRows(
  { scores, anomalies }: ModelOutput,
  features: Float32Array,
  width: number,
  segments: readonly (string | null)[],
  decider: Decider,
  calibrate: (score: number) => number,
): Pick<ScoredRows, 'figures' | 'decidedBy'> {
  const rows = segments.length;
  const figures = new Float64Array(rows * FIGURES);
  const decidedBy = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const score = scores[row] as number;
    const calibrated = calibrate(score);
    mustBeNumber(calibrated);
    const threshold = decider.thresholdOf(segments[row] as string | null);
    const rule = decider.matching(features, row * width);
    decidedBy[row] = rule === -1 ? BY_THRESHOLD : rule;
    const isAlert = rule === -1 ? calibrated >= threshold : decider.rules[rule]?.decision === 'alert';
    const at = row * FIGURES;
    figures[at] = score;
    figures[at + 1] = calibrated;
    figures[at + 2] = anomalies[row] as number;
    figures[at + 3] = threshold;
    figures[at + 4] = isAlert ? 1 : 0;
  }
  return { figures, decidedBy };
}

function ratesOf({ lookups }: LoadedBundle, spec: OpenOptions['spec']): Rates | null {
  const fixings = Object.entries(spec.lookups).find(([, { builder }]) => builder === 'fixings')?.[0];
  return fixings === undefined ? null : (lookups[fixings] as Rates);
}
