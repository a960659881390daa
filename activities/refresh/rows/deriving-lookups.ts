import type { Db } from 'mongodb';
import type { Lookups } from '../../../domain/features/compile.js';
import { opLookup } from '../../../domain/features/op-inputs.js';
import { SluiceError } from '../../../platform/errors.js';
import type { LoadedModel } from '../../../platform/models.js';
import type { Fixing } from '../../../domain/lookups/fixings.js';
import type { FeatureRegistry, ModelSpec } from '../../../schemas/types.js';
import { firstBooking } from '../../../stores/transactions/window.js';
import { expectFixingsBefore, readFixings } from '../../lookups/fixings.js';
import { readyLookups } from '../../lookups/ready.js';
import type { LiveLookups } from '../live.js';
import type { Part } from './window-parts.js';

/**
 * What some derived values are computed with: the live bundle's static lookups, since its category names are the ones that its model knows, and every
 * stored fixing that a booking of the window is converted with. A lookup that none of them uses is not read.
 * @returns with what a version record says of it
 * @throws SluiceError NoData when the window has no row, InvalidInput when it begins before the fixings
 */
export async function derivingLookups(
  db: Db,
  model: LoadedModel,
  live: LiveLookups,
  derived: FeatureRegistry['derived'],
  window: Part,
): Promise<{ ready: Lookups; inputs: Record<string, string> }> {
  const { data } = model.spec;
  const used = new Set(derived.map(({ op }) => opLookup(op)?.name));
  const lookups = Object.fromEntries(Object.entries(model.spec.lookups).filter(([name]) => used.has(name)));
  const [fixings, fromLive] = await Promise.all([
    fixingsOf(
      db,
      data,
      window,
      Object.values(lookups).some(({ builder }) => builder === 'fixings'),
    ),
    liveStatic(lookups, live),
  ]);
  const inputs: Record<string, string> = { collection: data.collection, bundle: live.version };
  const staticLookups = { ...model.staticLookups };
  for (const { name, found } of fromLive) {
    staticLookups[name] = { document: found.document, bytes: Buffer.alloc(0) };
    inputs[name] = found.made.version;
  }
  if (fixings.length > 0) {
    inputs['fixings'] = data.fixings_collection;
    inputs['newest_fixing'] = fixings[fixings.length - 1]?._id ?? '';
  }
  const needed = { ...model, staticLookups, spec: { ...model.spec, lookups } };
  return { ready: readyLookups(needed, fixings, new Date(window.toMs).toISOString()).forTraining, inputs };
}

/** The fixings of a window that has rows; none where none are needed. */
async function fixingsOf(db: Db, data: ModelSpec['data'], window: Part, needed: boolean): Promise<Fixing[]> {
  const [from, to] = [new Date(window.fromMs), new Date(window.toMs)];
  const first = await firstBooking(db, data, { [data.fields.time]: { $gte: from, $lt: to } });
  if (first === null)
    throw new SluiceError(
      'NoData',
      `${data.collection} has no row between ${from.toISOString()} and ${to.toISOString()}. Import transactions, or choose an asOf that they reach.`,
    );
  if (!needed) return [];
  const fixings = await readFixings(db, data, { from: from.toISOString(), asOf: to.toISOString() });
  expectFixingsBefore(fixings, first);
  return fixings;
}

async function liveStatic(lookups: ModelSpec['lookups'], live: LiveLookups) {
  const names = Object.keys(lookups).filter((name) => lookups[name]?.builder === 'static');
  const all = await Promise.all(names.map(async (name) => ({ name, found: await live.lookup(name) })));
  return all.flatMap(({ name, found }) => (found === null ? [] : [{ name, found }]));
}
