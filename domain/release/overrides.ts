import type { ModelSpec, ReleaseOverrides } from '../../schemas/types.js';

/** One place where a run departs from its model's spec. */
export interface OverrideChange {
  /** where it stands in the spec: `promotion.policy`, `gates.recall.min` */
  name: string;
  /** what the spec says; null: nothing */
  old: number | string | null;
  new: number | string | null;
  /** lets more through than the spec does */
  weakens: boolean;
}

type Gate = ModelSpec['gates'][number];

/** What is wrong with overrides of the right shape, by path; nothing of a run may begin with such. */
export function overrideProblems(spec: Pick<ModelSpec, 'gates'>, overrides: ReleaseOverrides): string[] {
  const gates = overrides.gates ?? [];
  return gates.flatMap(({ metric }, i) => {
    const path = `/overrides/gates/${i}`;
    const gate = spec.gates.find((one) => one.metric === metric);
    if (gate === undefined)
      return [
        `${path}/metric: the spec has no gate ${metric}; it has ${spec.gates.map((one) => one.metric).join(', ')}`,
      ];
    if (gates.findIndex((one) => one.metric === metric) !== i) return [`${path}/metric names ${metric} twice`];
    const { min, max } = overridden(gate, overrides);
    return min !== undefined && max !== undefined && min > max
      ? [`${path}: no ${metric} is at least ${min} and at most ${max}`]
      : [];
  });
}

/** What differs from the spec; an override that says what the spec says is none. */
export function overrideChanges(spec: ModelSpec, overrides: ReleaseOverrides): OverrideChange[] {
  const { promotion, trainer } = spec;
  const { policy = promotion.policy, deadlineSeconds, seed = trainer.seed } = overrides;
  const deadline = deadlineSeconds === undefined ? promotion.deadline_hours : deadlineSeconds / 3600;
  return [
    change('trainer.seed', trainer.seed, seed, false),
    change('promotion.policy', promotion.policy, policy, policy === 'auto'),
    change('promotion.deadline_hours', promotion.deadline_hours, deadline, false),
    ...spec.gates.flatMap((gate) => {
      const { min, max } = overridden(gate, overrides);
      return [
        change(`gates.${gate.metric}.min`, gate.min, min, gate.min !== undefined && (min ?? -Infinity) < gate.min),
        change(`gates.${gate.metric}.max`, gate.max, max, gate.max !== undefined && (max ?? Infinity) > gate.max),
      ];
    }),
  ].filter(({ old, new: now }) => old !== now);
}

/** The spec with what this one release sets differently. */
export function withOverrides(spec: ModelSpec, overrides: ReleaseOverrides): ModelSpec {
  const { promotion, trainer } = spec;
  return {
    ...spec,
    trainer: { ...trainer, seed: overrides.seed ?? trainer.seed },
    gates: spec.gates.map((gate) => overridden(gate, overrides)),
    promotion: {
      ...promotion,
      policy: overrides.policy ?? promotion.policy,
      deadline_hours:
        overrides.deadlineSeconds === undefined ? promotion.deadline_hours : overrides.deadlineSeconds / 3600,
    },
  };
}

/** A bound that is not named stays: whoever lowers a maximum does not lose the minimum. */
function overridden(gate: Gate, { gates = [] }: ReleaseOverrides): Gate {
  return { ...gate, ...gates.find(({ metric }) => metric === gate.metric) };
}

function change(
  name: string,
  old: number | string | undefined,
  now: number | string | undefined,
  weakens: boolean,
): OverrideChange {
  return { name, old: old ?? null, new: now ?? null, weakens };
}

/** One line for people: `gates.recall.min: 0.6 → 0.5 (weaker)`. */
export function overrideLine({ name, old, new: now, weakens }: OverrideChange): string {
  return `${name}: ${old ?? 'none'} → ${now ?? 'none'}${weakens ? ' (weaker)' : ''}`;
}
