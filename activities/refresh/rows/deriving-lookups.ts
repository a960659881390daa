import type { Db } from 'mongodb';
import type { Lookups } from '../../../domain/features/compile.js';
import { opLookup } from '../../../domain/features/op-inputs.js';
import { SluiceError } from '../../../platform/errors.js';
import type { LoadedModel } from '../../../platform/models.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { expectFixingsBefore, readFixings } from '../../mongo/snapshot/fixings.js';
import { readyLookups } from '../../mongo/snapshot/lookups.js';
import type { LiveLookups } from '../live.js';

/**
 * What some derived values are computed with: the live bundle's static lookups, since its category names are the ones that its model knows, and every
 * stored fixing that a booking of the window is converted with. A lookup that none of them uses is not read.
 * @returns with what a version record says of it
 * @throws SluiceError InvalidInput when the window has no row, or begins before the fixings
 */
export async function derivingLookups(
  db: Db,
  model: LoadedModel,
  live: LiveLookups,
  derived: FeatureRegistry['derived'],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<{ ready: Lookups; inputs: Record<string, string> }> {
  const { data } = model.spec;
  const used = new Set(derived.map(({ op }) => opLookup(op)?.name));
  const lookups = Object.fromEntries(Object.entries(model.spec.lookups).filter(([name]) => used.has(name)));
  const spec = { ...model.spec, lookups };
  const [from, to] = [new Date(fromMs), new Date(toMs)];
  const { time } = data.fields;
  const first = await db
    .collection(data.collection)
    .findOne({ [time]: { $gte: from, $lt: to } }, { sort: { [time]: 1 }, projection: { _id: 0, [time]: 1 } });
  if (first === null)
    throw new SluiceError(
      'InvalidInput',
      `${data.collection} has no row between ${from.toISOString()} and ${to.toISOString()}. Import transactions, or choose an asOf that they reach.`,
    );
  const inputs: Record<string, string> = { collection: data.collection, bundle: live.version };
  const staticLookups = { ...model.staticLookups };
  for (const [name, { builder }] of Object.entries(lookups)) {
    const found = builder === 'static' ? await live.lookup(name) : null;
    if (found === null) continue;
    staticLookups[name] = { document: found.document, bytes: Buffer.alloc(0) };
    inputs[name] = found.made.version;
  }
  const needsFixings = Object.values(lookups).some(({ builder }) => builder === 'fixings');
  if (!needsFixings)
    return { ready: readyLookups({ ...model, spec, staticLookups }, [], to.toISOString()).forTraining, inputs };
  const fixings = await readFixings(db, data, { from: from.toISOString(), asOf: to.toISOString() });
  expectFixingsBefore(fixings, first[time] as Date);
  inputs['fixings'] = data.fixings_collection;
  inputs['newest_fixing'] = fixings[fixings.length - 1]?._id ?? '';
  return { ready: readyLookups({ ...model, spec, staticLookups }, fixings, to.toISOString()).forTraining, inputs };
}
