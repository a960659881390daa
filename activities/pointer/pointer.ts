import { auditRecordOf } from '../../domain/audit/chain.js';
import { bundlePrefix, pointerKey } from '../../stores/keys.js';
import type { Signer, TrustedKeys } from '../../domain/dsse/dsse.js';
import { decideSwap, nextPointer, writePointerFile, type PointerChange } from '../../domain/pointer/pointer.js';
import { ENVIRONMENTS } from '../../domain/pointer/environments.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { Pointer } from '../../schemas/types.js';
import type { AuditLog } from '../../stores/audit-log.js';
import { readManifest } from '../../stores/manifests.js';
import type { PointerActivities } from './contract.js';
import { fetchPointer } from '../../stores/pointers.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface PointerDeps {
  store: ObjectStore;
  audit: AuditLog;
  signer: Signer;
  trustedKeys: TrustedKeys;
}

export function createPointerActivities({ store, audit, signer, trustedKeys }: PointerDeps): PointerActivities {
  const fetch = (wanted: { model: string; environment: string }) => fetchPointer(store, trustedKeys, wanted);

  /** The pointer, with its audit entry certain to exist, and no entry from beyond it. */
  const fetchAudited = async (wanted: { model: string; environment: string }) => {
    for (;;) {
      const found = await fetch(wanted);
      if (found !== null) await audit.append(auditRecordOf(found.pointer));
      const known = await audit.latestGeneration(wanted.model, wanted.environment);
      if (known <= (found?.pointer.generation ?? 0)) return found;
      // Someone may have swapped between the two reads; if the store still lags behind, it has lost a change.
      if (((await fetch(wanted))?.pointer.generation ?? 0) < known)
        throw new SluiceError(
          'IntegrityError',
          `The audit log knows generation ${known} of ${wanted.model} in ${wanted.environment}, the object store at ${store.endpoint} an older one: it was replaced or rolled back. Restore ${pointerKey(wanted.model, wanted.environment)}, or move the audit log aside together with it.`,
        );
    }
  };

  return {
    async readPointer(input) {
      requireEnvironment(input.environment);
      return (await fetch(input))?.pointer ?? null;
    },

    /**
     * The audit entry of a change can only go missing between the put and the append; the change itself stands signed in the pointer. So
     * whoever comes next, the retry or the next swapper, first writes the entry of what it finds. Nothing is swapped while the audit log
     * cannot be written.
     */
    async swapPointer(input) {
      const change: PointerChange = { ...input, environment: requireEnvironment(input.environment) };
      const found = await fetchAudited(input);
      const current = found?.pointer ?? null;
      const decision = decideSwap(current, change);
      if (decision !== 'put') return { outcome: decision, pointer: current } as Lost | Already;

      await requirePublished(store, trustedKeys, input);
      const next = nextPointer(current, change);
      const put = await store.putIfMatch(
        pointerKey(input.model, input.environment),
        writePointerFile(next, signer),
        found?.etag ?? null,
      );
      if (put.outcome === 'lost') {
        // Perhaps our own put under a lost reply, so look at who won before calling it a loss.
        const winner = await fetchAudited(input);
        const ours = winner !== null && winner.pointer.put_id === input.putId;
        return { outcome: ours ? 'already' : 'lost', pointer: winner?.pointer ?? null } as Lost | Already;
      }
      await audit.append(auditRecordOf(next));
      return { outcome: 'swapped', pointer: next };
    },
  };
}

type Already = { outcome: 'already'; pointer: Pointer };
type Lost = { outcome: 'lost'; pointer: Pointer | null };

function requireEnvironment(environment: string): Pointer['environment'] {
  const known = ENVIRONMENTS.find((name) => name === environment);
  if (known === undefined)
    throw new SluiceError(
      'InvalidInput',
      `/environment is ${JSON.stringify(environment)}; it must be one of ${ENVIRONMENTS.join(', ')}.`,
    );
  return known;
}

/**
 * The last look before a pointer names a bundle: its manifest is signed and is the one meant, and every file lies there at full length.
 * (The digests of all files were read back when it was published and by the rollout's own verification.)
 */
async function requirePublished(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  { model, bundle }: { model: string; bundle: BundleId },
): Promise<void> {
  const manifest = await readManifest(store, trustedKeys, { model, ...bundle });
  const prefix = bundlePrefix(model, bundle.version);
  const present = new Map((await store.list(prefix)).map(({ key, bytes }) => [key.slice(prefix.length), bytes]));
  const wrong = Object.entries(manifest.files).filter(([name, { bytes }]) => present.get(name) !== bytes);
  if (wrong.length > 0) {
    const names = wrong.map(([name]) => name).join(', ');
    throw new SluiceError(
      'IntegrityError',
      `Bundle ${model}/${bundle.version} is not complete in the store: ${names} missing or cut short. Publish it again.`,
    );
  }
}
