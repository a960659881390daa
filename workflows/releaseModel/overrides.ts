import type { ModelSpec } from '../../domain/release/types.js';
import type { ReleaseOverrides } from '../../schemas/types.js';

/** The spec of a release that began before `PATCHES.requestsAreAuthorised`: a gate that it named replaced the spec's, with both bounds. */
export function applyOverrides(spec: ModelSpec, overrides: ReleaseOverrides): ModelSpec {
  return {
    ...spec,
    gates: spec.gates.map((gate) => overrides.gates?.find(({ metric }) => metric === gate.metric) ?? gate),
    promotion: {
      ...spec.promotion,
      policy: overrides.policy ?? spec.promotion.policy,
      deadline_hours:
        overrides.deadlineSeconds === undefined ? spec.promotion.deadline_hours : overrides.deadlineSeconds / 3600,
    },
  };
}
