import type { ModelSpec } from '../../schemas/types.js';

/** Names that every bundle has, whatever its model. The rest of its files are the model's own lookups. */
export const BUNDLE_FILE = {
  pipeline: 'pipeline.onnx',
  anomaly: 'if_pipe.onnx',
  isotonic: 'isotonic.json',
  thresholds: 'per_category_thresholds.json',
  rules: 'rule_params.json',
  requestSchema: 'request_schema.json',
  featureRegistry: 'feature_registry.json',
  golden: 'golden_vectors.json',
  modelCard: 'model_card.md',
} as const;
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.sig';
export const MANIFEST_PAYLOAD_TYPE = 'application/vnd.sluice.manifest+json';

/** Files that say something about a bundle without deciding a score. */
const NOT_DECIDING = new Set<string>([BUNDLE_FILE.golden, BUNDLE_FILE.modelCard, MANIFEST_FILE, SIGNATURE_FILE]);

/** What a spec promises about its bundles. */
export interface BundleExpectation {
  /** every file but the manifest and its signature */
  files: readonly string[];
  /** lookup name → its file and the schema that describes it */
  lookups: Readonly<Record<string, { file: string; schema: string }>>;
}

/** A bundle holds the spec's files and, beside each lookup, what it was made from. */
export function bundleExpectation(spec: Pick<ModelSpec, 'bundle_files' | 'lookups'>): BundleExpectation {
  const lookups = Object.fromEntries(
    Object.entries(spec.lookups).map(([name, { file, schema }]) => [name, { file, schema }]),
  );
  const versionFiles = Object.values(lookups).map(({ file }) => lookupVersionFile(file));
  return { files: [...new Set([...spec.bundle_files, ...versionFiles])].sort(), lookups };
}

/** `merchant_freq_map.json` → `merchant_freq_map.version.json` */
export function lookupVersionFile(lookupFile: string): string {
  return lookupFile.replace(/\.json$/, '') + '.version.json';
}

/** Whether two bundles that differ in this file may score differently. */
export function decidesScore(file: string): boolean {
  return !NOT_DECIDING.has(file) && !file.endsWith('.version.json');
}

/** Where bundles of a model live in the bucket. */
export function bundlesPrefix(model: string): string {
  return `fraud/artifacts/${model}/`;
}

export function bundleKey(model: string, version: string, file: string): string {
  return `${bundlesPrefix(model)}${version}/${file}`;
}

/** The pointer of an environment: `current.json` is production. */
export function pointerKey(model: string, environment: string): string {
  return `${bundlesPrefix(model)}${environment === 'production' ? 'current' : environment}.json`;
}
