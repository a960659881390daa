import type { Db } from 'mongodb';
import { compileDecision } from '../../domain/scoring-decision/decide.js';
import { DECIDER, RowCollector, type ScoredRows } from '../../domain/thresholds/rows.js';
import type { LabelledPrediction } from '../../domain/predictions/types.js';
import type { ModelSpec } from '../../schemas/types.js';
import type { streamPredictions } from '../../stores/predictions/stream.js';
import type { LiveDecision } from './live.js';

const DAY_MS = 86_400_000;

/** The rows a proposal stands on: booked in `window_days` days before labels had matured at `asOf`. */
export function proposalWindow(spec: ModelSpec, asOf: string): { from: string; to: string } {
  const to = Date.parse(asOf) - spec.data.label_maturity_days * DAY_MS;
  return {
    from: new Date(to - spec.recalibration.window_days * DAY_MS).toISOString(),
    to: new Date(to).toISOString(),
  };
}

/**
 * Reads the window's scored transactions of the live model version into columns. What a rule of the bundle decides is marked, since no threshold
 * moves it. A prediction without a probability between 0 and 1, or without an amount of 0 or more, is counted and left out.
 */
export async function readWindow(
  db: Db,
  stream: typeof streamPredictions,
  spec: ModelSpec,
  live: LiveDecision,
  what: { environment: string; asOf: string },
  options: { signal: AbortSignal; onProgress: (done: number) => void },
): Promise<{ rows: ScoredRows; refused: number }> {
  const collector = new RowCollector(Object.keys(live.thresholds.operating.per_category));
  const deciderOf = compileDecider(live);
  const amountOf = spec.recalibration.missed_fraud.feature;
  let refused = 0;
  const each = (batch: LabelledPrediction[]): void => {
    for (const one of batch) {
      const amount = one.features[amountOf];
      const probability = one.calibrated_probability;
      if (amount === undefined || !(amount >= 0 && amount < Infinity) || !(probability >= 0 && probability <= 1)) {
        refused++;
        continue;
      }
      collector.push({
        probability,
        score: one.score,
        amount,
        bookedAt: one.booked_at.getTime(),
        label: one.label,
        decider: deciderOf(one),
        segment: one.segment,
      });
    }
  };
  const window = {
    model: spec.model,
    modelVersion: live.manifest.model_version,
    ...what,
    ...proposalWindow(spec, what.asOf),
  };
  await stream(db, spec.data, window, each, options);
  return { rows: collector.rows(), refused };
}

/** Whether a rule or the threshold decides about a prediction, by the scorer's own function. */
function compileDecider({ thresholds, rules }: LiveDecision): (one: LabelledPrediction) => number {
  const featureNames = [...new Set(rules.rules.map(({ feature }) => feature))];
  const decide = compileDecision({ thresholds, rules, featureNames });
  return ({ calibrated_probability: calibrated, segment, features }) => {
    const values = featureNames.map((name) => features[name] ?? NaN);
    const { decision, decided_by } = decide({ calibrated, segment, values });
    if (decided_by.kind === 'threshold') return DECIDER.threshold;
    return decision === 'alert' ? DECIDER.ruleAlerts : DECIDER.rulePasses;
  };
}
