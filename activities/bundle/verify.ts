import { bundleExpectation, MANIFEST_FILE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import { loadBundle, type LoadedBundle, type ReadFile } from '../../domain/bundle/load.js';
import { BundleError } from '../../domain/bundle/manifest.js';
import { compileFeatures } from '../../domain/features/compile.js';
import type { BundleRef } from '../../domain/release/types.js';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import type { ModelSpec } from '../../schemas/types.js';
import type { BundleDeps, Target } from './deps.js';
import { readBundleFile } from '../../stores/manifests.js';

type Reader = Pick<BundleDeps, 'store' | 'trustedKeys'>;

/** Reads a published bundle back, every byte, and checks that nothing else lies beside it and that its parts work together. */
export async function verifyPublished(deps: Reader, spec: ModelSpec, target: Target): Promise<LoadedBundle> {
  const bundle = await loadPublished(deps, spec, target);
  const prefix = bundleKey(target.model, target.version, '');
  const known = new Set([...bundle.files.keys(), MANIFEST_FILE, SIGNATURE_FILE]);
  const extra = (await deps.store.list(prefix))
    .map(({ key }) => key.slice(prefix.length))
    .filter((name) => !known.has(name));
  if (extra.length > 0)
    throw new BundleError(
      `bundle ${target.model}/${target.version}: ${extra.join(', ')} lies beside it, and its manifest does not know it`,
    );
  return bundle;
}

export function loadPublished(deps: Reader, spec: ModelSpec, target: Target): Promise<LoadedBundle> {
  return loadParts(deps, spec, target, (name, limit) => readBundleFile(deps.store, target, name, limit));
}

/** A bundle from wherever `read` has its files: the same checks before it is written and after. */
export async function loadParts(
  deps: Pick<BundleDeps, 'trustedKeys'>,
  spec: ModelSpec,
  target: Target,
  read: ReadFile,
): Promise<LoadedBundle> {
  const bundle = await loadBundle(read, {
    ...target,
    trustedKeys: deps.trustedKeys,
    expected: bundleExpectation(spec),
    validate: validateBundleDocument,
  });
  compileFeatures(bundle.featureRegistry, bundle.lookups);
  return bundle;
}

export function toRef({ manifest, manifestSha256 }: LoadedBundle): BundleRef {
  return {
    model: manifest.model_name,
    version: manifest.version,
    manifestSha256,
    contentSha256: manifest.content_sha256,
    onnxSha256: manifest.onnx_sha256,
    parentVersion: manifest.parent_version,
    modelVersion: manifest.model_version,
    asOf: manifest.as_of,
  };
}
