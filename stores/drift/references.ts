import { canonicalJson } from '../../domain/bundle/digest.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { ReferenceDays, ReferenceProfile } from '../../schemas/types.js';
import { driftReferenceKey } from '../keys.js';

/** As `domain/drift/reference` counts; raised whenever that changes. What is kept in another format is made anew. */
const FORMAT = 2;

/** A bundle's reference as it was made once; null where it was not, or in another format. */
export async function keptReference(
  store: Pick<ObjectStore, 'get'>,
  model: string,
  version: string,
): Promise<{ days: ReferenceDays; profile: ReferenceProfile } | null> {
  const key = driftReferenceKey(model, version, FORMAT);
  const object = await store.get(key);
  if (object === null) return null;
  const days = validate('reference-days', JSON.parse(object.bytes.toString('utf8')), key);
  return { days, profile: validate('reference-profile', days.profile, `${key}#/profile`) };
}

/** Whoever writes it first; all write the same. */
export async function keepReference(
  store: Pick<ObjectStore, 'putIfAbsent'>,
  model: string,
  days: ReferenceDays,
): Promise<void> {
  await store.putIfAbsent(
    driftReferenceKey(model, days.bundle_version, FORMAT),
    canonicalJson(days),
    'application/json',
  );
}
