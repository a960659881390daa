import { sha256Hex } from '../../domain/bundle/digest.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName, type SchemaTypes } from '../../platform/validate.js';
import type { Manifest, PerCategoryThresholds, RuleParams } from '../../schemas/types.js';
import { readBundleFile, readManifest } from '../../stores/manifests.js';

export interface LiveDecision {
  manifest: Manifest;
  thresholds: PerCategoryThresholds;
  thresholdsSha256: string;
  rules: RuleParams;
}

/** What decides in a published bundle, each file as its signed manifest says. */
export async function readLiveDecision(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  ref: { model: string; version: string; manifestSha256: string },
): Promise<LiveDecision> {
  const manifest = await readManifest(store, trustedKeys, ref);
  const read = async <N extends SchemaName>(schema: N, file: string): Promise<SchemaTypes[N]> => {
    const bytes = await readBundleFile(store, ref, file, manifest);
    if (sha256Hex(bytes) !== manifest.files[file]?.sha256)
      throw new SluiceError(
        'IntegrityError',
        `${file} of bundle ${ref.model}/${ref.version} is not what its manifest lists.`,
      );
    return validate(schema, JSON.parse(bytes.toString('utf8')), `${ref.version}/${file}`);
  };
  return {
    manifest,
    thresholds: await read('per-category-thresholds', BUNDLE_FILE.thresholds),
    thresholdsSha256: thresholdsSha256(manifest),
    rules: await read('rule-params', BUNDLE_FILE.rules),
  };
}

export function thresholdsSha256(manifest: Manifest): string {
  const file = manifest.files[BUNDLE_FILE.thresholds];
  if (file === undefined)
    throw new SluiceError('IntegrityError', `Bundle ${manifest.version} lists no ${BUNDLE_FILE.thresholds}.`);
  return file.sha256;
}
