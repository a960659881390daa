import type { LoadedBundle } from '../../domain/bundle/load.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { FeatureComputer } from '../../domain/features/compile.js';
import { SluiceError } from '../../platform/errors.js';
import type { ModelOutput } from './model-output.js';
import type { RequestValidator } from './request-validator.js';

/** Scores that differ by more than this from what training computed are not the same model. */
export const PARITY_TOLERANCE = 1e-5;

interface Parts {
  computer: FeatureComputer;
  validate: RequestValidator;
  calibrate: (score: number) => number;
  run: (features: Float32Array) => Promise<ModelOutput>;
}

/**
 * Answers the bundle's golden vectors, both layers: stored features → scores, and raw transactions → features → scores. It warms the
 * models up on the way.
 * @throws SluiceError IntegrityError that names the vector, the figure and both values
 */
export async function checkParity({ golden }: LoadedBundle, parts: Parts): Promise<void> {
  const { names } = parts.computer;
  const refuse = (where: string, why: string): never => {
    throw new SluiceError('IntegrityError', `${BUNDLE_FILE.golden}: ${where} ${why}`);
  };
  const compare = (where: string, what: string, actual: number, expected: number, scale = 1): void => {
    // Written so that NaN does not pass.
    if (!(Math.abs(actual - expected) <= PARITY_TOLERANCE * scale))
      refuse(where, `gives ${what} ${actual}, training computed ${expected}`);
  };

  const computed = golden.raw.map(({ transaction, features }, index) => {
    const where = `/raw/${index}`;
    const violation = parts.validate(transaction)[0];
    if (violation !== undefined)
      refuse(where, `is refused by its own request schema: ${violation.path} ${violation.message}`);
    let values: Float32Array;
    try {
      values = parts.computer.compute(transaction).values;
    } catch (error) {
      return refuse(where, `has no features: ${(error as Error).message}`);
    }
    features.forEach((expected, at) =>
      compare(where, names[at] ?? '', values[at] ?? NaN, expected, Math.max(1, Math.abs(expected))),
    );
    return values;
  });

  for (const [layer, vectors, rows] of [
    ['features', golden.features, golden.features.map(({ features }) => features)],
    ['raw', golden.raw, computed],
  ] as const) {
    const input = new Float32Array(rows.length * names.length);
    rows.forEach((row, index) => input.set(row, index * names.length));
    const { scores, anomalies } = await parts.run(input);
    vectors.forEach((vector, index) => {
      const score = scores[index] ?? NaN;
      const where = `/${layer}/${index}`;
      compare(where, 'score', score, vector.score);
      compare(where, 'calibrated_probability', parts.calibrate(score), vector.calibrated_probability);
      compare(where, 'anomaly_score', anomalies[index] ?? NaN, vector.anomaly_score);
    });
  }
}
