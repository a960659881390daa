import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import * as formats from 'ajv-formats';
import type * as Types from '../schemas/types.js';
import { SluiceError } from './errors.js';
import { projectPath } from './project.js';

/** Schema name (the file's name in `schemas/`) → the type it describes. */
export interface SchemaTypes {
  'artifact-version': Types.ArtifactVersion;
  'audit-entry': Types.AuditEntry;
  caller: Types.Caller;
  'category-stats': Types.CategoryStats;
  'data-profile': Types.DataProfile;
  decision: Types.Decision;
  'drift-report': Types.DriftReport;
  'drift-snapshot': Types.DriftSnapshot;
  'dsse-envelope': Types.DsseEnvelope;
  'feature-registry': Types.FeatureRegistry;
  'fraud-params': Types.FraudParams;
  'fx-rates': Types.FxRates;
  'golden-features': Types.GoldenFeatures;
  'golden-vectors': Types.GoldenVectors;
  isotonic: Types.Isotonic;
  manifest: Types.Manifest;
  'merchant-freq-map': Types.MerchantFreqMap;
  'model-spec': Types.ModelSpec;
  'operation-type-synonyms': Types.OperationTypeSynonyms;
  'per-category-thresholds': Types.PerCategoryThresholds;
  pointer: Types.Pointer;
  'pointer-file': Types.PointerFile;
  principals: Types.Principals;
  'reference-days': Types.ReferenceDays;
  'reference-profile': Types.ReferenceProfile;
  'refresh-result': Types.RefreshResult;
  'release-overrides': Types.ReleaseOverrides;
  'rule-params': Types.RuleParams;
  'snapshot-record': Types.SnapshotRecord;
  'threshold-proposal': Types.ThresholdProposal;
  'trusted-keys': Types.TrustedKeys;
}
export type SchemaName = keyof SchemaTypes;

/** One refused field: where (JSON pointer; empty is the whole document) and why. */
export interface Violation {
  path: string;
  message: string;
}

/** A new validator with our settings: strict, formats, every violation reported. */
export function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
  ajv.addKeyword('tsType');
  formats.default.default(ajv);
  return ajv;
}

let shared: Ajv2020 | undefined;
function validators(): Ajv2020 {
  if (shared !== undefined) return shared;
  shared = createAjv();
  const directory = projectPath('schemas');
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.schema.json'))) {
    shared.addSchema(JSON.parse(readFileSync(projectPath('schemas', file), 'utf8')) as object);
  }
  return shared;
}

/** Ajv's errors as paths and messages; names the unknown key where one was refused. */
export function toViolations(errors: ErrorObject[] | null | undefined): Violation[] {
  return meantBranches(errors ?? []).map((error) => {
    const unknown = error.keyword === 'additionalProperties' ? `/${String(error.params['additionalProperty'])}` : '';
    const allowed = error.keyword === 'enum' ? `: ${JSON.stringify(error.params['allowedValues'])}` : '';
    return {
      path: error.instancePath + unknown,
      message: (unknown === '' ? (error.message ?? error.keyword) : 'is not a known key') + allowed,
    };
  });
}

/**
 * Where a document may have one of several forms and names one by a constant (`builder: frequency`), only what is wrong with that form: the other forms'
 * complaints are about keys that are right.
 */
function meantBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const choice of errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf')) {
    const { schemaPath, instancePath } = choice;
    const branchOf = (error: ErrorObject): string | null =>
      error.schemaPath.startsWith(`${schemaPath}/`) && `${error.instancePath}/`.startsWith(`${instancePath}/`)
        ? (error.schemaPath.slice(schemaPath.length + 1).split('/')[0] as string)
        : null;
    const below = kept.filter((error) => branchOf(error) !== null);
    const otherwise = new Set(below.filter(({ keyword }) => keyword === 'const').map(branchOf));
    const meant = [...new Set(below.map(branchOf))].filter((branch) => !otherwise.has(branch));
    if (otherwise.size === 0 || meant.length !== 1) continue;
    kept = kept.filter((error) => error !== choice && [null, meant[0]].includes(branchOf(error)));
  }
  return kept;
}

/** The violations of a document against one of our schemas; an empty list means it is valid. */
export function violations(name: SchemaName, document: unknown): Violation[] {
  const check = validators().getSchema(`https://sluice.dev/schemas/${name}.schema.json`) as
    ValidateFunction | undefined;
  if (check === undefined) throw new SluiceError('InvalidSpec', `There is no schema schemas/${name}.schema.json.`);
  return check(document) ? [] : toViolations(check.errors);
}

/**
 * The document, typed, or a `SluiceError` that names every offending field.
 * @param what how the message calls the document, for example a file's name
 */
export function validate<N extends SchemaName>(name: N, document: unknown, what: string = name): SchemaTypes[N] {
  const found = violations(name, document);
  if (found.length === 0) return document as SchemaTypes[N];
  const lines = found.slice(0, 10).map(({ path, message }) => `${path === '' ? '(document)' : path} ${message}`);
  throw new SluiceError('InvalidInput', `${what} is not valid: ${lines.join('; ')}`, { violations: found });
}
