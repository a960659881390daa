import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { ArtifactVersion, ModelSpec } from '../../schemas/types.js';
import { lookupOfBundle } from '../bundle/lookups.js';
import { readManifest } from '../../stores/manifests.js';
import type { RefreshInput } from './contract.js';

/** The live bundle's lookups, as what is refreshed is compared with. */
export interface LiveLookups {
  /** of the bundle */
  version: string;
  /**
   * A lookup by its name in the spec, digests and schema checked; null where the live bundle is of a time before the spec had it.
   * @throws BundleError, SluiceError IntegrityError when the bundle is damaged
   */
  lookup(name: string): Promise<{ document: unknown; made: ArtifactVersion } | null>;
}

/**
 * Opens the bundle that a refresh compares with; its manifest's signature is checked at once, each lookup when it is read.
 * @throws BundleError, SluiceError IntegrityError
 */
export async function openLive(
  { store, trustedKeys }: { store: ObjectStore; trustedKeys: TrustedKeys },
  { model, live }: Pick<RefreshInput, 'model' | 'live'>,
  lookups: ModelSpec['lookups'],
): Promise<LiveLookups> {
  const ref = { model, ...live };
  const manifest = await readManifest(store, trustedKeys, ref);
  return {
    version: live.version,
    async lookup(name) {
      const declared = lookups[name];
      if (declared === undefined) return null;
      const found = await lookupOfBundle(store, ref, manifest, declared.file);
      if (found === null) return null;
      const document: unknown = JSON.parse(found.bytes.toString('utf8'));
      return { document: validate(declared.schema as SchemaName, document, declared.file), made: found.made };
    },
  };
}
