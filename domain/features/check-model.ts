import type { FeatureRegistry, ModelSpec, RuleParams } from '../../schemas/types.js';
import { measuredMetrics } from '../release/measured.js';
import { checkRegistry, type RequestFields } from './check.js';
import { opOutput, type ValueType } from './op-inputs.js';

/** the training code that there is, a Python module of training/ */
const TRAINER = 'sluice_trainer';

interface Contradiction {
  path: string;
  message: string;
}

/**
 * Whether the parts of a model's folder, each valid by itself, fit each other.
 * @returns one entry per contradiction; its path begins with the part's name in the spec
 */
export function checkModel(model: {
  /** the folder's name */
  folder: string;
  spec: ModelSpec;
  registry: FeatureRegistry;
  requestSchema: Record<string, unknown>;
  rules: RuleParams;
}): Contradiction[] {
  const { folder, spec, registry, rules } = model;
  const request = requestFields(model.requestSchema);
  const derived = new Map(registry.derived.map(({ name, op }) => [name, opOutput(op)]));
  const features = new Set(registry.features.map(({ name }) => name));
  const found: Contradiction[] = [];
  const expect = (holds: boolean, path: string, message: string): void => {
    if (!holds) found.push({ path, message });
  };

  expect(spec.model === folder, '/model', `is ${spec.model}, and the folder is ${folder}`);
  expect(registry.model === spec.model, '/feature_registry', `is of model ${registry.model}`);
  for (const { path, message } of checkRegistry(registry, request, spec.lookups))
    found.push({ path: `/feature_registry${path}`, message });
  expect(derived.get(spec.segment) === 'string', '/segment', `${spec.segment} is not a derived text`);

  const { fields, checks, validation_fraction, test_fraction } = spec.data;
  expect(request.get(fields.id) === 'string', '/data/fields/id', `${fields.id} is not a text of the request`);
  expect(request.get(fields.time) === 'time', '/data/fields/time', `${fields.time} is not a time of the request`);
  for (const key of ['label', 'label_time'] as const)
    expect(
      !request.has(fields[key]),
      `/data/fields/${key}`,
      `${fields[key]} is a field of the request: the scorer would be told the answer`,
    );
  const { days, of } = spec.drift.retraining;
  expect(days <= of, '/drift/retraining/days', `is ${days}, more than the ${of} days of /drift/retraining/of`);
  expect(spec.trainer.module === TRAINER, '/trainer/module', `${spec.trainer.module} is no trainer; known: ${TRAINER}`);
  expect(validation_fraction + test_fraction < 1, '/data/test_fraction', 'leaves nothing to train on');
  for (const key of ['max_missing_fraction', 'ranges', 'allowed_values'] as const)
    for (const field of Object.keys(checks[key]))
      expect(request.has(field), `/data/checks/${key}/${field}`, 'is not a field of the request');
  for (const name of Object.keys(checks.max_unmapped_fraction))
    expect(derived.has(name), `/data/checks/max_unmapped_fraction/${name}`, 'is not a derived value');

  for (const [name, lookup] of Object.entries(spec.lookups)) {
    const reads: [string, string, ValueType][] =
      lookup.builder === 'frequency'
        ? [['key', lookup.key, 'string']]
        : lookup.builder === 'robust_stats'
          ? [
              ['group', lookup.group, 'string'],
              ['value', lookup.value, 'number'],
            ]
          : [];
    for (const [key, input, type] of reads)
      expect(
        derived.get(input) === type,
        `/lookups/${name}/${key}`,
        `${input} is not a derived ${type === 'string' ? 'text' : 'number'}`,
      );
    expect(
      spec.bundle_files.includes(lookup.file),
      `/lookups/${name}/file`,
      `${lookup.file} is not among bundle_files`,
    );
  }
  const metrics = measuredMetrics(spec.alert_budgets);
  for (const key of ['gates', 'champion_comparison'] as const)
    for (const [index, { metric }] of spec[key].entries())
      expect(
        metrics.includes(metric),
        `/${key}/${index}/metric`,
        `${metric} is not measured; known: ${metrics.join(', ')}`,
      );
  for (const [index, { min, max }] of spec.gates.entries())
    expect(min !== undefined || max !== undefined, `/gates/${index}`, 'has neither min nor max');
  for (const [index, rule] of rules.rules.entries()) {
    expect(features.has(rule.feature), `/rule_params/rules/${index}/feature`, `${rule.feature} is not a feature`);
    expect(
      rule.above !== undefined || rule.below !== undefined,
      `/rule_params/rules/${index}`,
      'has neither above nor below',
    );
  }
  return found;
}

/** The request's fields by how an op can read them; fields of other types cannot be read. */
export function requestFields(requestSchema: Record<string, unknown>): RequestFields {
  const properties = (requestSchema['properties'] ?? {}) as Record<string, { type?: unknown; format?: unknown }>;
  const fields = new Map<string, ValueType>();
  for (const [name, { type, format }] of Object.entries(properties)) {
    if (type === 'number' || type === 'integer') fields.set(name, 'number');
    else if (type === 'string') fields.set(name, format === 'date-time' ? 'time' : 'string');
  }
  return fields;
}
