import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { FxRates, ModelSpec } from '../../schemas/types.js';
import { SNAPSHOT_FILE } from '../../stores/keys.js';

/**
 * A bundle's lookups for the rows of a snapshot. Rates are the snapshot's own: they are facts of the booking day, and a bundle carries only as many
 * old ones as late transactions need.
 */
export async function snapshotLookups(
  store: ObjectStore,
  { lookups }: Pick<ModelSpec, 'lookups'>,
  snapshot: SnapshotRef,
  ofBundle: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const object = await store.get(snapshot.prefix + SNAPSHOT_FILE.fixings);
  if (object === null)
    throw new SluiceError('IntegrityError', `the snapshot below ${snapshot.prefix} lacks ${SNAPSHOT_FILE.fixings}`);
  const fixings = JSON.parse(object.bytes.toString('utf8')) as Fixing[];
  return Object.fromEntries(
    Object.entries(lookups).map(([name, { builder }]) => [
      name,
      builder === 'fixings' ? allRates(fixings, ofBundle[name] as FxRates, snapshot.asOf) : ofBundle[name],
    ]),
  );
}

/** All of the snapshot's fixings in the bundle's base currency. */
function allRates(fixings: readonly Fixing[], { base_currency }: FxRates, asOf: string): FxRates {
  return buildFxRates(fixings, { baseCurrency: base_currency, asOf, trailingDays: 100_000 });
}
