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

/** Thresholds and rules, ready to be asked row by row without an object for each. */
export interface Decider {
  /** the segment's own operating threshold, else the common one */
  thresholdOf(segment: string | null): number;
  /** `operating/{segment}` where the segment has its own threshold, else `operating` */
  nameOf(segment: string | null): string;
  /** place of the first rule that matches (its feature lies strictly beyond every bound it declares); -1: none does */
  matching(values: ArrayLike<number>, offset: number): number;
  readonly rules: readonly {
    name: string;
    decision: 'alert' | 'pass';
    reason_code: string;
    /** of the feature in the model's order */
    index: number;
    /** the bound that is told */
    limit: number;
  }[];
}

export interface DecisionParts {
  thresholds: PerCategoryThresholds;
  rules: RuleParams;
  featureNames: readonly string[];
}

/** @throws Error named InvalidSpec when a rule names an unknown feature or no bound */
export function compileDecider({ thresholds, rules, featureNames }: DecisionParts): Decider {
  const compiled = rules.rules.map((rule) => {
    const index = featureNames.indexOf(rule.feature);
    if (index < 0) throw invalid(`rule ${rule.name}: ${rule.feature} is not a feature of the model`);
    const limit = rule.above ?? rule.below;
    if (limit === undefined) throw invalid(`rule ${rule.name} has neither above nor below`);
    const { name, decision, reason_code, above = -Infinity, below = Infinity } = rule;
    return { name, decision, reason_code, index, limit, above, below };
  });
  const perSegment = new Map(Object.entries(thresholds.operating.per_category));
  const own = (segment: string | null): number | undefined => (segment === null ? undefined : perSegment.get(segment));
  return {
    rules: compiled,
    thresholdOf: (segment) => own(segment) ?? thresholds.operating.threshold,
    nameOf: (segment) => (own(segment) === undefined ? 'operating' : `operating/${segment}`),
    matching(values, offset) {
      for (let place = 0; place < compiled.length; place += 1) {
        const { index, above, below } = compiled[place] as (typeof compiled)[number];
        const value = values[offset + index] ?? NaN;
        if (value > above && value < below) return place;
      }
      return -1;
    },
  };
}

/**
 * The decision as a function of a scored row: the first rule that matches decides, else the segment's operating threshold, else the common one
 * (alert when the calibrated probability is at or above it).
 * @throws Error named InvalidSpec when a rule names an unknown feature or no bound
 */
export function compileDecision(parts: DecisionParts): (row: ScoredRow) => ScoringDecision {
  const decider = compileDecider(parts);
  return ({ calibrated, segment, values, offset = 0 }) => {
    mustBeNumber(calibrated);
    const threshold = decider.thresholdOf(segment);
    const rule = decider.rules[decider.matching(values, offset)];
    if (rule !== undefined) {
      const { decision, name, index, limit, reason_code } = rule;
      const value = shortestFloat32(values[offset + index] ?? NaN);
      return { decision, decided_by: { kind: 'rule', name, value, limit }, threshold, reason_code };
    }
    return {
      decision: calibrated >= threshold ? 'alert' : 'pass',
      decided_by: { kind: 'threshold', name: decider.nameOf(segment), value: calibrated, limit: threshold },
      threshold,
      reason_code: null,
    };
  };
}

/** NaN compares as "below" with everything: it would pass for the safest transaction there is. */
export function mustBeNumber(calibrated: number): void {
  if (!Number.isFinite(calibrated))
    throw new RangeError(`a calibrated probability must be a number, not ${calibrated}`);
}

function invalid(message: string): Error {
  return Object.assign(new Error(message), { name: 'InvalidSpec' });
}
