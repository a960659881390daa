import type { Db } from 'mongodb';
import { COLLECTIONS, openCollection } from '../collections.js';

/** A bundle that a person wants kept, whatever else happens. */
export interface Pin {
  model: string;
  version: string;
  actor: string;
  reason: string;
  /** ISO */
  at: string;
}

/** `_id` is `{model}/{version}`. */
export type PinDocument = Pin & { _id: string };

export interface Pins {
  /** Pinned again, the newer reason stands. */
  put(pin: Pin): Promise<void>;
  /** False when it was not pinned. */
  remove(model: string, version: string): Promise<boolean>;
  of(model: string): Promise<Pin[]>;
}

export function createPins(db: Db): Pins {
  const collection = openCollection(db, COLLECTIONS.pins);
  const id = (model: string, version: string): string => `${model}/${version}`;
  return {
    async put(pin) {
      await collection.updateOne({ _id: id(pin.model, pin.version) }, { $set: pin }, { upsert: true });
    },
    async remove(model, version) {
      return (await collection.deleteOne({ _id: id(model, version) })).deletedCount === 1;
    },
    of: (model) => collection.find({ model }, { projection: { _id: 0 } }).toArray(),
  };
}
