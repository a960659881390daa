import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { seeded } from '../../test/support/seeded.js';
import { evaluateGates } from '../gates/gates.js';
import { overrideChanges, overrideLine, overrideProblems, withOverrides } from './overrides.js';
import type { ModelSpec } from './types.js';

const read = parse(readFileSync(projectPath('models', 'ulb_gbdt', 'model.yaml'), 'utf8')) as ModelSpec;
const spec: ModelSpec = {
  ...read,
  gates: [
    { metric: 'recall', min: 0.6 },
    { metric: 'alert_rate', min: 0.01, max: 0.1 },
  ],
  promotion: { ...read.promotion, policy: 'manual', deadline_hours: 72 },
};

describe('overrides of a release', () => {
  it('are listed where they differ from the spec, and say which weaken it', () => {
    const overrides = {
      seed: 7,
      policy: 'auto' as const,
      deadlineSeconds: 1800,
      gates: [
        { metric: 'recall', min: 0.5 },
        { metric: 'alert_rate', max: 0.05 },
      ],
      reason: 'pilot',
    };
    expect(overrideChanges(spec, overrides)).toEqual([
      { name: 'trainer.seed', old: read.trainer.seed, new: 7, weakens: false },
      { name: 'promotion.policy', old: 'manual', new: 'auto', weakens: true },
      { name: 'promotion.deadline_hours', old: 72, new: 0.5, weakens: false },
      { name: 'gates.recall.min', old: 0.6, new: 0.5, weakens: true },
      { name: 'gates.alert_rate.max', old: 0.1, new: 0.05, weakens: false },
    ]);
    expect(withOverrides(spec, overrides)).toMatchObject({
      trainer: { seed: 7 },
      promotion: { policy: 'auto', deadline_hours: 0.5 },
      gates: [
        { metric: 'recall', min: 0.5 },
        { metric: 'alert_rate', min: 0.01, max: 0.05 },
      ],
    });
  });

  it('that say what the spec says are none', () => {
    expect(overrideChanges(spec, {})).toEqual([]);
    const same = { policy: 'manual' as const, deadlineSeconds: 72 * 3600, gates: [{ metric: 'recall', min: 0.6 }] };
    expect(overrideChanges(spec, same)).toEqual([]);
    expect(overrideChanges({ ...spec, promotion: read.promotion }, { policy: 'manual' })).toMatchObject([
      { name: 'promotion.policy', new: 'manual', weakens: false },
    ]);
  });

  it('are refused by path where they name an unknown gate, one twice, or bounds that nothing keeps', () => {
    const gates = [
      { metric: 'recal', min: 0.5 },
      { metric: 'recall', min: 0.7 },
      { metric: 'recall', min: 0.1 },
      { metric: 'alert_rate', max: 0.001 },
    ];
    expect(overrideProblems(spec, { gates })).toEqual([
      '/overrides/gates/0/metric: the spec has no gate recal; it has recall, alert_rate',
      '/overrides/gates/2/metric names recall twice',
      '/overrides/gates/3: no alert_rate is at least 0.01 and at most 0.001',
    ]);
    expect(overrideProblems(spec, { gates: gates.slice(1, 2) })).toEqual([]);
  });

  it('are in words for people', () => {
    expect(overrideLine({ name: 'gates.recall.min', old: 0.6, new: 0.5, weakens: true })).toBe(
      'gates.recall.min: 0.6 → 0.5 (weaker)',
    );
    expect(overrideLine({ name: 'gates.recall.max', old: null, new: 0.9, weakens: false })).toBe(
      'gates.recall.max: none → 0.9',
    );
  });

  it('weaken a gate wherever a model that failed it could pass', () => {
    const bound = fc.option(
      fc.integer({ min: -2, max: 12 }).map((n) => n / 10),
      { nil: undefined },
    );
    fc.assert(
      fc.property(bound, bound, fc.integer({ min: -3, max: 13 }), (min, max, n) => {
        fc.pre(min !== undefined || max !== undefined);
        const gate = {
          metric: 'alert_rate',
          ...(min === undefined ? {} : { min }),
          ...(max === undefined ? {} : { max }),
        };
        const overrides = { gates: [gate] };
        fc.pre(overrideProblems(spec, overrides).length === 0);
        const passes = ({ gates }: ModelSpec) =>
          evaluateGates({ alert_rate: n / 100 }, gates.slice(1)).every(({ passed }) => passed);
        const lets = !passes(spec) && passes(withOverrides(spec, overrides));
        if (lets) expect(overrideChanges(spec, overrides).some(({ weakens }) => weakens)).toBe(true);
      }),
      seeded(2000),
    );
  });
});
