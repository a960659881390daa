import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256HexInTurns } from '../../domain/bundle/digest.js';
import { BUNDLE_FILE, MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { PROOF_LIMIT, type ReadLimit } from '../../domain/bundle/limits.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { Manifest } from '../../schemas/types.js';
import { readBundleFile } from '../../stores/manifests.js';

const NEEDED = [BUNDLE_FILE.pipeline, BUNDLE_FILE.anomaly, BUNDLE_FILE.isotonic, BUNDLE_FILE.thresholds] as const;

/**
 * Writes a published bundle's models and thresholds into a directory, each as its manifest says. The manifest's digest comes from the
 * pointer, so its signature was checked already by whoever read that.
 * @throws SluiceError IntegrityError for a file that is missing or other than published
 */
export async function downloadChampion(
  store: ObjectStore,
  bundle: { model: string; version: string; manifestSha256: string },
  directory: string,
): Promise<void> {
  const checked = async (file: string, sha256: string | undefined, of: ReadLimit | Manifest): Promise<Buffer> => {
    const bytes = await readBundleFile(store, bundle, file, of);
    if ((await sha256HexInTurns(bytes)) === sha256) return bytes;
    throw new SluiceError(
      'IntegrityError',
      `${file} of bundle ${bundle.model}/${bundle.version} is not what was published. Roll back to a good bundle, then find out who changed it.`,
    );
  };
  const bytes = await checked(MANIFEST_FILE, bundle.manifestSha256, PROOF_LIMIT[MANIFEST_FILE]);
  const manifest = validate('manifest', JSON.parse(bytes.toString('utf8')), MANIFEST_FILE);
  for (const file of NEEDED)
    await writeFile(join(directory, file), await checked(file, manifest.files[file]?.sha256, manifest));
}
