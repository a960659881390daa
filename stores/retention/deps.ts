import type { Client } from '@temporalio/client';
import type { Db } from 'mongodb';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { createRolloutVerdicts } from '../rollout-verdicts.js';
import { createPins } from './pins.js';
import type { ReferenceDeps } from './references.js';

/** What it takes to know who needs what, for the worker and for a dry run of the client alike. */
export function referenceDeps(system: {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  client: Client;
}): ReferenceDeps {
  const { db, store, trustedKeys, client } = system;
  const { lastGood } = createRolloutVerdicts({ db, store, trustedKeys });
  return { store, trustedKeys, client, pins: createPins(db), lastGood };
}
