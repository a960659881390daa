import { shortestFloat32 } from '../features/float32.js';
import type { PerCategoryThresholds, RuleParams } from '../../schemas/types.js';

export interface ScoringDecision {
  decision: 'alert' | 'pass';
  decided_by: {
    kind: 'rule' | 'threshold';
    /** the rule's name, or `operating` for the threshold that holds everywhere, `operating/{segment}` for a segment's own */
    name: string;
    /** what was compared: the rule's feature, or the calibrated probability */
    value: number;
    /** with what */
    limit: number;
  };
  /** the threshold that applies to this transaction, also where a rule decided */
  threshold: number;
  /** of the rule that decided; null when the threshold did */
  reason_code: string | null;
}

export interface ScoredRow {
  /** calibrated probability */
  calibrated: number;
  segment: string | null;
  /** features in the model's order, from `offset` on */
  values: ArrayLike<number>;
  offset?: number;
}

/**
 * The decision as a function of a scored row: the first rule that matches decides, else the segment's operating threshold, else the common one
 * (alert when the calibrated probability is at or above it). A rule matches when the feature lies strictly beyond every bound it declares.
 * @throws Error named InvalidSpec when a rule names an unknown feature or no bound
 */
export function compileDecision({
  thresholds,
  rules,
  featureNames,
}: {
  thresholds: PerCategoryThresholds;
  rules: RuleParams;
  featureNames: readonly string[];
}): (row: ScoredRow) => ScoringDecision {
  const compiled = rules.rules.map((rule) => {
    const index = featureNames.indexOf(rule.feature);
    if (index < 0) throw invalid(`rule ${rule.name}: ${rule.feature} is not a feature of the model`);
    const limit = rule.above ?? rule.below;
    if (limit === undefined) throw invalid(`rule ${rule.name} has neither above nor below`);
    return { ...rule, index, limit };
  });
  const perSegment = new Map(Object.entries(thresholds.operating.per_category));
  return ({ calibrated, segment, values, offset = 0 }) => {
    // NaN compares as "below" with everything: it would pass for the safest transaction there is.
    if (!Number.isFinite(calibrated))
      throw new RangeError(`a calibrated probability must be a number, not ${calibrated}`);
    const own = segment === null ? undefined : perSegment.get(segment);
    const threshold = own ?? thresholds.operating.threshold;
    for (const { name, index, above, below, limit, decision, reason_code } of compiled) {
      const value = values[offset + index] ?? NaN;
      if (!(value > (above ?? -Infinity) && value < (below ?? Infinity))) continue;
      return {
        decision,
        decided_by: { kind: 'rule', name, value: shortestFloat32(value), limit },
        threshold,
        reason_code,
      };
    }
    const name = own === undefined ? 'operating' : `operating/${segment}`;
    const decision = calibrated >= threshold ? 'alert' : 'pass';
    return {
      decision,
      decided_by: { kind: 'threshold', name, value: calibrated, limit: threshold },
      threshold,
      reason_code: null,
    };
  };
}

function invalid(message: string): Error {
  return Object.assign(new Error(message), { name: 'InvalidSpec' });
}
