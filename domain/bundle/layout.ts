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
  profile: 'reference_profile.json',
} as const;
export const MANIFEST_FILE = 'manifest.json';
export const SIGNATURE_FILE = 'manifest.sig';
export const MANIFEST_PAYLOAD_TYPE = 'application/vnd.sluice.manifest+json';

/** Files that say something about a bundle without deciding a score. */
const NOT_DECIDING = new Set<string>([
  BUNDLE_FILE.golden,
  BUNDLE_FILE.modelCard,
  BUNDLE_FILE.profile,
  MANIFEST_FILE,
  SIGNATURE_FILE,
]);
/** Files that came after the first bundles: one that is published may lack them. */
const LATER_FILES = new Set<string>([BUNDLE_FILE.profile]);

/** What any published bundle of a model must have to be of use, whatever list of files its spec had then. */
export interface BundleExpectation {
  /** without these it is refused; what else its signed manifest lists is verified and kept */
  needed: readonly string[];
  /** lookup name → its file and the schema that describes it */
  lookups: Readonly<Record<string, { file: string; schema: string }>>;
}

/** The files that every bundle has, the model's lookups, and beside each lookup what it was made from. */
export function bundleExpectation(spec: Pick<ModelSpec, 'lookups'>): BundleExpectation {
  const lookups = Object.fromEntries(
    Object.entries(spec.lookups).map(([name, { file, schema }]) => [name, { file, schema }]),
  );
  const core = Object.values(BUNDLE_FILE).filter((file) => !LATER_FILES.has(file));
  return { needed: [...core, ...lookupFiles(spec)].sort(), lookups };
}

/** What a bundle composed today must hold: every file that today's spec lists, and what each lookup was made from. */
export function filesOfNewBundle(spec: Pick<ModelSpec, 'bundle_files' | 'lookups'>): string[] {
  return [...new Set([...spec.bundle_files, ...lookupFiles(spec)])].sort();
}

function lookupFiles(spec: Pick<ModelSpec, 'lookups'>): string[] {
  return Object.values(spec.lookups).flatMap(({ file }) => [file, lookupVersionFile(file)]);
}

/** `merchant_freq_map.json` → `merchant_freq_map.version.json` */
export function lookupVersionFile(lookupFile: string): string {
  return lookupFile.replace(/\.json$/, '') + '.version.json';
}

/** Whether two bundles that differ in this file may score differently. */
export function decidesScore(file: string): boolean {
  return !NOT_DECIDING.has(file) && !file.endsWith('.version.json');
}
