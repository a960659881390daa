import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { readableJson } from '../../../domain/bundle/digest.js';
import type { TrustedKeys } from '../../../domain/dsse/dsse.js';
import { checkDifference } from '../../../domain/refresh/compare.js';
import { refreshPrefix } from '../../../stores/keys.js';
import type { RefreshedArtifact } from '../../../domain/refresh/types.js';
import { compareSynonyms } from '../../../domain/synonyms/compare.js';
import type { LoadedModel, Models } from '../../../platform/models.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import type { OperationTypeSynonyms } from '../../../schemas/types.js';
import { heartbeating } from '../../heartbeat.js';
import { lookupsOfJob, publishArtifact, storedArtifacts, type MadeArtifact } from '../artifact.js';
import type { RefreshActivities, RefreshInput } from '../contract.js';
import { openLive, type LiveLookups } from '../live.js';
import { readStaticLookup } from '../../../stores/expert-files/read.js';
import { unmappedValues, type UnmappedValues } from '../../../stores/transactions/unmapped.js';

export interface SynonymsRefreshDeps {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  models: Pick<Models, 'load'>;
  log: Pick<Logger, 'info'>;
}

const LISTED_IN_NOTES = 20;
const VALUE_CHARS = 60;

/** The nightly synonyms: what experts have published, checked, with a list of what the data says and the table does not understand. */
export function createSynonymsRefreshActivities(deps: SynonymsRefreshDeps): Pick<RefreshActivities, 'refreshSynonyms'> {
  const { store, trustedKeys, models, log } = deps;
  return {
    refreshSynonyms: (input) =>
      heartbeating(async () => {
        const model = await models.load(input.model);
        const lookups = lookupsOfJob(model.spec, 'synonyms');
        if (lookups.length === 0) return [];
        const live = await openLive({ store, trustedKeys }, input, model.spec.lookups);
        const stored = await storedArtifacts(store, input, 'synonyms', lookups, live);
        if (stored !== null) return stored;
        const artifacts: RefreshedArtifact[] = [];
        for (const lookup of lookups) {
          const made = await makeLookup(deps, model, input, lookup, live);
          log.info({ model: input.model, key: input.key, lookup: lookup.name, notes: made.notes }, 'synonyms');
          artifacts.push(await publishArtifact(store, input, made, live));
        }
        return artifacts;
      }),
  };
}

async function makeLookup(
  { db, store }: SynonymsRefreshDeps,
  model: LoadedModel,
  input: RefreshInput,
  { name, file, schema }: { name: string; file: string; schema: string },
  live: LiveLookups,
): Promise<MadeArtifact> {
  const { spec, registry } = model;
  const { document, bytes, source, fileSha256, notes } = await readStaticLookup(store, model, name);
  const before = (await live.lookup(name))?.document as OperationTypeSynonyms | undefined;
  const unmapped = await unmappedValues(db, spec, registry, name, document, input.asOf);
  const report = `${refreshPrefix(input.model, input.key, 'synonyms')}${file.replace(/\.json$/, '')}.unmapped.json`;
  if (unmapped !== null) await store.putIfAbsent(report, readableJson(unmapped), 'application/json');
  return {
    job: 'synonyms',
    lookup: name,
    file,
    schema,
    content: { bytes },
    window: unmapped?.window ?? { from: input.asOf, to: input.asOf },
    rows: unmapped?.rows ?? 0,
    inputs: { source, ...(fileSha256 === null ? {} : { file_sha256: fileSha256 }) },
    checks:
      before === undefined
        ? []
        : checkDifference(compareSynonyms(document, before), spec.refresh.tolerances[name] ?? {}),
    notes: [...notes, ...unmappedNotes(unmapped, `s3://${store.bucket}/${report}`)],
  };
}

/** What an expert should add, in words. */
function unmappedNotes(unmapped: UnmappedValues | null, report: string): string[] {
  if (unmapped === null) return [];
  const { field, rows, unmapped_rows, values, more_values } = unmapped;
  if (rows === 0) return ['the window has no rows: nothing can be said of values that map to nothing'];
  if (unmapped_rows === 0) return [];
  const listed = values
    .slice(0, LISTED_IN_NOTES)
    .map(({ value, rows: count }) => `${JSON.stringify(value.slice(0, VALUE_CHARS))} (${count})`);
  const others = values.length + more_values - listed.length;
  return [
    `${unmapped_rows} of ${rows} rows have a /${field} that maps to nothing: ${listed.join(', ')}${others > 0 ? ` and ${others} more` : ''}; all in ${report}`,
  ];
}
