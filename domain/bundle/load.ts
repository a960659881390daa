import type {
  ArtifactVersion,
  FeatureRegistry,
  GoldenVectors,
  Isotonic,
  Manifest,
  PerCategoryThresholds,
  ReferenceProfile,
  RuleParams,
} from '../../schemas/types.js';
import type { TrustedKeys } from '../dsse/dsse.js';
import { sha256Hex } from './digest.js';
import { limitOf, MAX_FILES, PROOF_LIMIT, type ReadLimit } from './limits.js';
import { BUNDLE_FILE, lookupVersionFile, MANIFEST_FILE, SIGNATURE_FILE, type BundleExpectation } from './layout.js';
import { BundleError, checkFile, contentSha256, verifyManifest } from './manifest.js';

/** A bundle, every byte of it verified. */
export interface LoadedBundle {
  version: string;
  manifestSha256: string;
  manifest: Manifest;
  /** the verified bytes of every file: build ONNX sessions from these, never from a path */
  files: ReadonlyMap<string, Buffer>;
  pipelineOnnx: Buffer;
  anomalyOnnx: Buffer;
  isotonic: Isotonic;
  thresholds: PerCategoryThresholds;
  rules: RuleParams;
  featureRegistry: FeatureRegistry;
  /** a JSON Schema 2020-12 of one transaction */
  requestSchema: Record<string, unknown>;
  golden: GoldenVectors;
  /** what the training data looked like; null in a bundle from before training reported it */
  profile: ReferenceProfile | null;
  /** lookup name → its document, valid against the schema that the spec names */
  lookups: Readonly<Record<string, unknown>>;
  /** lookup name → what it was made from */
  lookupVersions: Readonly<Record<string, ArtifactVersion>>;
}

/**
 * Checks a document against a schema and returns it, or throws with every offending field's path.
 * @param schema a name in `schemas/`, or `json-schema` for a document that must itself be a JSON Schema
 */
export type ValidateDocument = (schema: string, document: unknown, file: string) => unknown;

/** Reads one file of a bundle by its name, and no more of it than the limit says. */
export type ReadFile = (name: string, limit: ReadLimit) => Promise<Buffer>;

export interface LoadOptions {
  model: string;
  /** as the pointer names it; null for a bundle pinned by hand, where the signature alone vouches for it */
  version: string | null;
  /** digest of `manifest.json`, as the signed pointer names it; null as above */
  manifestSha256: string | null;
  trustedKeys: TrustedKeys;
  expected: BundleExpectation;
  validate: ValidateDocument;
}

/**
 * Reads a whole bundle and believes nothing of it before it is checked: the manifest's digest and signature first, then each file's length
 * and digest, then its schema, then that the parts fit each other. Verification at publishing and loading in the scorer are this one function.
 * @param read as `ReadFile`; its own failures (unreachable, missing, too large) pass through
 * @throws BundleError (`IntegrityError`, `TooManySignatures`) that names the version and what is wrong; TooLargeError
 */
export async function loadBundle(read: ReadFile, options: LoadOptions): Promise<LoadedBundle> {
  try {
    return await load(read, options);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    throw new BundleError(`bundle ${options.model}/${options.version ?? '(pinned)'}: ${error.message}`, {
      cause: error,
    });
  }
}

async function load(read: ReadFile, options: LoadOptions): Promise<LoadedBundle> {
  const { expected } = options;
  const valid = <T>(schema: string, document: unknown, file: string): T => {
    try {
      return options.validate(schema, document, file) as T;
    } catch (error) {
      throw new BundleError((error as Error).message, { cause: error });
    }
  };

  const [manifestBytes, signature] = await Promise.all([
    read(MANIFEST_FILE, PROOF_LIMIT[MANIFEST_FILE]),
    read(SIGNATURE_FILE, PROOF_LIMIT[SIGNATURE_FILE]),
  ]);
  const manifestSha256 = options.manifestSha256 ?? sha256Hex(manifestBytes);
  const believed = verifyManifest(manifestBytes, signature, options.trustedKeys, manifestSha256);
  const manifest = valid<Manifest>('manifest', parse(believed, MANIFEST_FILE), MANIFEST_FILE);
  const version = options.version ?? manifest.version;
  if (manifest.version !== version) throw new BundleError(`its manifest is of version ${manifest.version}`);
  if (manifest.model_name !== options.model) throw new BundleError(`its manifest is of model ${manifest.model_name}`);
  checkNames(Object.keys(manifest.files), expected.needed);

  const files = new Map<string, Buffer>();
  // A few at a time: an S3 server on a laptop, and the memory of a scorer, are both small.
  const names = Object.keys(manifest.files);
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        const bytes = await read(name, limitOf(manifest, name));
        await checkFile(manifest, name, bytes);
        files.set(name, bytes);
      }
    }),
  );

  const bytesOf = (name: string): Buffer => {
    const bytes = files.get(name);
    if (bytes === undefined) throw new BundleError(`its manifest lacks ${name}`);
    return bytes;
  };
  const json = <T>(schema: string, name: string): T => valid<T>(schema, parse(bytesOf(name), name), name);

  const lookups: Record<string, unknown> = {};
  const lookupVersions: Record<string, ArtifactVersion> = {};
  for (const [name, { file, schema }] of Object.entries(expected.lookups)) {
    lookups[name] = json(schema, file);
    const made = json<ArtifactVersion>('artifact-version', lookupVersionFile(file));
    if (made.sha256 !== manifest.files[file]?.sha256)
      throw new BundleError(`${lookupVersionFile(file)} describes another ${file}: digest ${made.sha256}`);
    lookupVersions[name] = made;
  }
  const bundle: LoadedBundle = {
    version,
    manifestSha256,
    manifest,
    files,
    pipelineOnnx: bytesOf(BUNDLE_FILE.pipeline),
    anomalyOnnx: bytesOf(BUNDLE_FILE.anomaly),
    isotonic: json('isotonic', BUNDLE_FILE.isotonic),
    thresholds: json('per-category-thresholds', BUNDLE_FILE.thresholds),
    rules: json('rule-params', BUNDLE_FILE.rules),
    featureRegistry: json('feature-registry', BUNDLE_FILE.featureRegistry),
    requestSchema: json('json-schema', BUNDLE_FILE.requestSchema),
    golden: json('golden-vectors', BUNDLE_FILE.golden),
    profile: files.has(BUNDLE_FILE.profile) ? json('reference-profile', BUNDLE_FILE.profile) : null,
    lookups,
    lookupVersions,
  };
  checkParts(bundle);
  return bundle;
}

/**
 * Nothing that is needed may be missing. More may be there: the spec's list of files changes, and what an older or newer one asked for is
 * signed too. Names become keys and file names, so each must be a plain one.
 */
function checkNames(present: readonly string[], needed: readonly string[]): void {
  if (present.length > MAX_FILES)
    throw new BundleError(`its manifest lists ${present.length} files; a bundle has at most ${MAX_FILES}`);
  const missing = needed.filter((name) => !present.includes(name));
  if (missing.length > 0) throw new BundleError(`its manifest lacks ${missing.join(', ')}`);
  const odd = present.filter(
    (name) => !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name === MANIFEST_FILE || name === SIGNATURE_FILE,
  );
  if (odd.length > 0) throw new BundleError(`its manifest lists ${odd.join(', ')}, an invalid file name`);
}

/** Files that are right one by one must also belong together. */
function checkParts({ manifest, featureRegistry, golden, isotonic }: LoadedBundle): void {
  const claims: [string, string, string | undefined][] = [
    ['onnx_sha256', manifest.onnx_sha256, manifest.files[BUNDLE_FILE.pipeline]?.sha256],
    ['feature_registry_sha256', manifest.feature_registry_sha256, manifest.files[BUNDLE_FILE.featureRegistry]?.sha256],
    ['content_sha256', manifest.content_sha256, contentSha256(manifest.files)],
  ];
  for (const [field, claimed, actual] of claims) {
    if (claimed !== actual) throw new BundleError(`the manifest's ${field} is ${claimed}, its files give ${actual}`);
  }
  if (featureRegistry.model !== manifest.model_name)
    throw new BundleError(`${BUNDLE_FILE.featureRegistry} is of model ${featureRegistry.model}`);
  const names = featureRegistry.features.map(({ name }) => name);
  if (golden.feature_names.join('\n') !== names.join('\n'))
    throw new BundleError(
      `${BUNDLE_FILE.golden} has other features, or another order, than ${BUNDLE_FILE.featureRegistry}`,
    );
  for (const layer of ['features', 'raw'] as const) {
    const odd = golden[layer].findIndex(({ features }) => features.length !== names.length);
    if (odd !== -1)
      throw new BundleError(`${BUNDLE_FILE.golden}: /${layer}/${odd}/features does not have ${names.length} values`);
  }
  if (isotonic.x.length !== isotonic.y.length)
    throw new BundleError(`${BUNDLE_FILE.isotonic}: x and y differ in length`);
  if (isotonic.x.some((x, i) => i > 0 && x < (isotonic.x[i - 1] ?? x)))
    throw new BundleError(`${BUNDLE_FILE.isotonic}: x does not rise`);
}

function parse(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new BundleError(`${name} is not JSON: ${(error as Error).message}`);
  }
}
