import { readableJson } from '../../domain/bundle/digest.js';
import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import { lookupVersion } from '../../domain/lookups/version.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { ArtifactVersion } from '../../schemas/types.js';
import type { ModelAsPublished } from '../../stores/expert-files/read.js';
import type { LookupsWindow } from '../training-data/window.js';

/** longer than any history of fixings */
const ALL_DAYS = 100_000;

/** A lookup as a bundle holds it, and the record of what it was made from. */
export interface Lookup {
  name: string;
  file: string;
  bytes: Buffer;
  record: ArtifactVersion;
}

export interface ReadyLookups {
  /** lookup name → document: the static ones, and rates that reach back over the whole window */
  forTraining: Record<string, unknown>;
  /** lookup name → document as a bundle holds it: rates with the trailing fixings that the spec asks for */
  forBundle: Record<string, unknown>;
}

/** The lookups that need no rows. */
export function readyLookups(
  { spec, staticLookups }: LoadedModel,
  fixings: readonly Fixing[],
  asOf: string,
): ReadyLookups {
  const ready: ReadyLookups = { forTraining: {}, forBundle: {} };
  for (const [name, lookup] of Object.entries(spec.lookups)) {
    if (lookup.builder === 'static') {
      ready.forTraining[name] = ready.forBundle[name] = staticLookups[name]?.document;
    } else if (lookup.builder === 'fixings') {
      const rates = { baseCurrency: spec.base_currency, asOf };
      try {
        ready.forTraining[name] = buildFxRates(fixings, { ...rates, trailingDays: ALL_DAYS });
        ready.forBundle[name] = buildFxRates(fixings, { ...rates, trailingDays: lookup.trailing_days });
      } catch (error) {
        if (error instanceof RangeError) throw new SluiceError('InvalidInput', `lookup ${name}: ${error.message}`);
        throw error;
      }
    }
  }
  return ready;
}

/** Each lookup as a bundle holds it, and the record of what it was made from. */
export function describeLookups(
  gitSha: string,
  { spec, staticLookups, staticSources }: ModelAsPublished,
  asOf: string,
  window: LookupsWindow,
  fixings: readonly Fixing[],
  ready: ReadyLookups,
  windowed: Readonly<Record<string, { document: unknown; rows: number }>>,
): Lookup[] {
  const createdAt = new Date().toISOString();
  const { data } = spec;
  const rowWindow = {
    from: new Date(window.fromMs).toISOString(),
    to: new Date(window.toMs).toISOString(),
  };
  return Object.entries(spec.lookups).map(([name, { builder, file, schema }]) => {
    const fromRows = windowed[name];
    const document = validate(schema as SchemaName, fromRows?.document ?? ready.forBundle[name], file);
    const bytes = staticLookups[name]?.bytes ?? readableJson(document);
    const base = { name, bytes, createdAt };
    if (fromRows !== undefined) {
      const inputs = { collection: data.collection, fixings: data.fixings_collection };
      // As of the end of its window, not of the release: a nightly one, made later from newer rows, is the newer of the two.
      const record = lookupVersion({ ...base, asOf: rowWindow.to, window: rowWindow, rows: fromRows.rows, inputs });
      return { name, file, bytes, record };
    }
    if (builder === 'fixings') {
      const used = (document as { trailing: { date: string }[]; fixing_date: string }).trailing;
      const newest = (document as { fixing_date: string }).fixing_date;
      const oldest = used[used.length - 1]?.date ?? newest;
      const record = lookupVersion({
        ...base,
        asOf,
        window: { from: `${oldest}T00:00:00.000Z`, to: `${newest}T00:00:00.000Z` },
        rows: used.length + 1,
        inputs: { collection: data.fixings_collection, base: fixings[0]?.base ?? '' },
      });
      return { name, file, bytes, record };
    }
    const from = staticSources[name];
    const experts = from?.fileSha256 ?? null;
    const record = lookupVersion({
      ...base,
      asOf,
      window: { from: asOf, to: asOf },
      rows: 0,
      inputs: {
        source: from?.source ?? `models/${spec.model}/${file}`,
        ...(experts !== null ? { file_sha256: experts } : gitSha === '' ? {} : { git_sha: gitSha }),
      },
    });
    return { name, file, bytes, record };
  });
}
