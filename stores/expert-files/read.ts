import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import type { Finding } from '../../domain/json/read.js';
import { expertFileKey } from '../keys.js';
import { checkSynonyms, type CheckedSynonyms } from '../../domain/synonyms/check.js';
import { knownCanonicalNames } from '../../domain/synonyms/known.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel, ModelFile } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { violations, type SchemaName } from '../../platform/validate.js';
import type { OperationTypeSynonyms } from '../../schemas/types.js';

/** More than a table that people edit can have; it is read as a whole. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;
const FINDINGS_SHOWN = 10;

/** A static lookup as it stands: the experts' file where there is one, else the model folder's. */
export interface StaticLookup extends ModelFile<OperationTypeSynonyms> {
  /** for version records: `s3://…` or `models/…` */
  source: string;
  /** digest of the experts' file as they wrote it; null for the model folder's */
  fileSha256: string | null;
  notes: string[];
}

/** Checks a file against everything that the model and its schemas ask of this lookup. */
export function checkLookupFile(
  { spec, registry }: Pick<LoadedModel, 'spec' | 'registry'>,
  lookup: string,
  bytes: Uint8Array,
): CheckedSynonyms {
  const schema = spec.lookups[lookup]?.schema as SchemaName;
  if (bytes.length > MAX_FILE_BYTES) {
    const message = `is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB: no table that people edit is`;
    return { findings: [{ line: 1, column: 1, path: '', message }], document: null, notes: [] };
  }
  return checkSynonyms(bytes, {
    known: knownCanonicalNames(registry, lookup),
    violationsOf: (document) => violations(schema, document),
  });
}

/**
 * A static lookup of a model.
 * @throws SluiceError InvalidInput with every finding when the experts' file cannot go live: an older one never takes its place in silence
 */
export async function readStaticLookup(
  store: Pick<ObjectStore, 'get' | 'bucket'>,
  model: Pick<LoadedModel, 'spec' | 'registry' | 'staticLookups'>,
  lookup: string,
): Promise<StaticLookup> {
  const { spec, staticLookups } = model;
  const file = spec.lookups[lookup]?.file ?? '';
  const key = expertFileKey(spec.model, file);
  const source = `s3://${store.bucket}/${key}`;
  const object = await store.get(key);
  if (object === null) {
    const own = staticLookups[lookup] as ModelFile<OperationTypeSynonyms>;
    const note = `nothing is published at ${source}: the model folder's own file is used. To publish one: \`sluice synonyms publish FILE --reason WHY\``;
    return { ...own, source: `models/${spec.model}/${file}`, fileSha256: null, notes: [note] };
  }
  const { document, findings, notes } = checkLookupFile(model, lookup, object.bytes);
  if (document === null) throw unusable(source, findings);
  return { document, bytes: readableJson(document), source, fileSha256: sha256Hex(object.bytes), notes };
}

function unusable(source: string, findings: Finding[]): SluiceError {
  const lines = findings
    .slice(0, FINDINGS_SHOWN)
    .map(({ line, column, message }) => `line ${line}:${column} ${message}`);
  const more = findings.length > FINDINGS_SHOWN ? `; and ${findings.length - FINDINGS_SHOWN} more` : '';
  return new SluiceError(
    'InvalidInput',
    `${source} cannot be used: ${lines.join('; ')}${more}. What is live stays. Correct the file, try \`sluice synonyms check FILE\`, then \`sluice synonyms publish FILE --reason WHY\`.`,
    { violations: findings.slice(0, FINDINGS_SHOWN).map((one) => ({ ...one, path: one.path.slice(0, 200) })) },
  );
}

/** A model whose static lookups are the experts' where they have published any. */
export interface ModelAsPublished extends LoadedModel {
  /** lookup name → where its file comes from */
  staticSources: Readonly<Record<string, Pick<StaticLookup, 'source' | 'fileSha256'>>>;
}

/**
 * The model with the static lookups that count now, for a release's snapshot: it must not bring the folder's file back over what experts have
 * published since (docs/decisions/0010-who-owns-the-synonyms.md).
 * @throws SluiceError InvalidInput as `readStaticLookup`
 */
export async function withPublishedLookups(
  store: Pick<ObjectStore, 'get' | 'bucket'>,
  model: LoadedModel,
): Promise<ModelAsPublished> {
  const names = Object.keys(model.staticLookups);
  const read = await Promise.all(
    names.map(async (name) => [name, await readStaticLookup(store, model, name)] as const),
  );
  return {
    ...model,
    staticLookups: Object.fromEntries(read.map(([name, { document, bytes }]) => [name, { document, bytes }])),
    staticSources: Object.fromEntries(read.map(([name, { source, fileSha256 }]) => [name, { source, fileSha256 }])),
  };
}
