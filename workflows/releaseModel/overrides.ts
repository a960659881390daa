import type { ModelSpec } from '../../domain/release/types.js';
import type { ReleaseOverrides } from './contract.js';

/** The model's spec with what this one release sets differently. */
export function applyOverrides(spec: ModelSpec, overrides: ReleaseOverrides | undefined): ModelSpec {
  return {
    ...spec,
    gates: spec.gates.map((gate) => overrides?.gates?.find(({ metric }) => metric === gate.metric) ?? gate),
    promotion: {
      ...spec.promotion,
      policy: overrides?.policy ?? spec.promotion.policy,
      deadline_hours:
        overrides?.deadlineSeconds === undefined ? spec.promotion.deadline_hours : overrides.deadlineSeconds / 3600,
    },
  };
}
