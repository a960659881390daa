import type { FeatureRegistry, ModelSpec } from '../../schemas/types.js';
import { opInputs, opLookup, opOutput, type ValueType } from './op-inputs.js';

/** What a request's field can be read as. */
export type RequestFields = ReadonlyMap<string, ValueType>;

/**
 * Whether a registry fits the request and the lookups it is declared with, before any lookup exists.
 * @returns one line per contradiction, with its path in the registry; empty when it fits
 */
export function checkRegistry(
  registry: FeatureRegistry,
  request: RequestFields,
  lookups: ModelSpec['lookups'],
): { path: string; message: string }[] {
  const found: { path: string; message: string }[] = [];
  const known = new Map<string, ValueType>(request);
  const seen = new Set<string>();
  const check = (path: string, { op, name }: { op: FeatureRegistry['derived'][number]['op']; name: string }): void => {
    for (const { key, name: input, type } of opInputs(op)) {
      const actual = known.get(input);
      if (actual === undefined)
        found.push({
          path: `${path}/op/${key}`,
          message: `${input} is neither a field of the request nor derived before ${name}`,
        });
      else if (actual !== type)
        found.push({ path: `${path}/op/${key}`, message: `${input} is a ${actual}, ${op.kind} reads a ${type}` });
    }
    const lookup = opLookup(op);
    if (lookup === null) return;
    const builder = Object.hasOwn(lookups, lookup.name) ? lookups[lookup.name]?.builder : undefined;
    if (builder === undefined)
      found.push({ path: `${path}/op/lookup`, message: `${lookup.name} is not among the spec's lookups` });
    else if (builder !== lookup.kind)
      found.push({
        path: `${path}/op/lookup`,
        message: `${lookup.name} is built as ${builder}, ${op.kind} reads ${lookup.kind}`,
      });
  };
  for (const [index, derived] of registry.derived.entries()) {
    check(`/derived/${index}`, derived);
    if (known.has(derived.name))
      found.push({ path: `/derived/${index}/name`, message: `${derived.name} exists already` });
    known.set(derived.name, opOutput(derived.op));
  }
  for (const [index, feature] of registry.features.entries()) {
    const path = `/features/${index}`;
    check(path, feature);
    if (opOutput(feature.op) !== 'number')
      found.push({ path: `${path}/op/kind`, message: `${feature.op.kind} gives text; a feature is a number` });
    if (seen.has(feature.name)) found.push({ path: `${path}/name`, message: `${feature.name} exists already` });
    seen.add(feature.name);
    for (const [at, source] of feature.sources.entries())
      if (!request.has(source))
        found.push({ path: `${path}/sources/${at}`, message: `${source} is not a field of the request` });
    if (request.get(feature.event_time) !== 'time')
      found.push({ path: `${path}/event_time`, message: `${feature.event_time} is not a time of the request` });
    if (feature.window !== null || feature.delay !== null)
      found.push({
        path: `${path}/window`,
        message: 'windowed features are not supported yet: window and delay must be null',
      });
  }
  return found;
}
