import { readableJson, sha256Hex } from '../domain/bundle/digest.js';
import { BUNDLE_FILE } from '../domain/bundle/layout.js';
import { summarise, type ThresholdSummary } from '../domain/thresholds/summary.js';
import { SluiceError } from '../platform/errors.js';
import type { ObjectStore } from '../platform/object-store.js';
import { validate } from '../platform/validate.js';
import type { ThresholdProposal } from '../schemas/types.js';
import { thresholdsPrefix } from './keys.js';

const JSON_TYPE = 'application/json';

/** The key of the newest proposal of a model by its time, edited ones aside; null when there is none. */
export async function newestProposal(store: Pick<ObjectStore, 'list'>, model: string): Promise<string | null> {
  const prefix = thresholdsPrefix(model, '').slice(0, -1);
  const folders = (await store.list(prefix)).map(({ key }) => key.slice(prefix.length).split('/'));
  return (
    folders
      .flatMap(([folder]) => (folder === undefined ? [] : [folder]))
      .sort()
      .at(-1) ?? null
  );
}

/** A stored proposal, or null. */
export async function readProposal(
  store: ObjectStore,
  prefix: string,
): Promise<{ proposal: ThresholdProposal; sha256: string } | null> {
  const key = proposalKey(prefix);
  const object = await store.get(key);
  if (object === null) return null;
  const proposal = validate('threshold-proposal', JSON.parse(object.bytes.toString('utf8')), key);
  return { proposal, sha256: sha256Hex(object.bytes) };
}

/**
 * Stores a proposal, whichever attempt is first; every other gets that one. Its thresholds, as a bundle holds them, are written from
 * what stands there.
 */
export async function storeProposal(
  store: ObjectStore,
  prefix: string,
  made: ThresholdProposal,
): Promise<{ proposal: ThresholdProposal; sha256: string }> {
  const key = proposalKey(prefix);
  await store.putIfAbsent(key, readableJson(validate('threshold-proposal', made, key)), JSON_TYPE);
  const stored = await readProposal(store, prefix);
  if (stored === null)
    throw new SluiceError('Unreachable', `s3://${store.bucket}/${key} vanished while it was written; try again.`);
  return stored;
}

/** Makes sure that the thresholds lie beside the proposal, and answers with what people are shown. */
export async function settleProposal(
  store: ObjectStore,
  prefix: string,
  { proposal, sha256 }: { proposal: ThresholdProposal; sha256: string },
): Promise<ThresholdSummary> {
  const bytes = readableJson(validate('per-category-thresholds', proposal.new));
  const thresholdsKey = prefix + BUNDLE_FILE.thresholds;
  if ((await store.putIfAbsent(thresholdsKey, bytes, JSON_TYPE)) === 'exists') {
    const present = await store.get(thresholdsKey);
    if (present !== null && !present.bytes.equals(bytes))
      throw new SluiceError(
        'IntegrityError',
        `s3://${store.bucket}/${thresholdsKey} on ${store.endpoint} is not what its proposal says: somebody changed it. Create a new proposal, with another --as-of.`,
      );
  }
  const places = {
    proposalKey: proposalKey(prefix),
    proposalSha256: sha256,
    thresholdsKey,
    thresholdsSha256: sha256Hex(bytes),
  };
  return summarise(proposal, places, !readableJson(proposal.old).equals(bytes));
}

function proposalKey(prefix: string): string {
  return `${prefix}proposal.json`;
}
