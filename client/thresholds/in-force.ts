import { thresholdsInForce } from '../../domain/audit/thresholds-in-force.js';
import type { Settings } from '../../platform/config.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { usingMongo } from '../stores.js';
import type { ThresholdsRef } from './kind.js';

/** Tells, by the audit log, of which recalibrations the thresholds are not live any more: rolled back, or replaced by later ones. */
export async function notInForce(
  settings: Settings,
  refs: readonly ThresholdsRef[],
): Promise<(ref: ThresholdsRef) => boolean> {
  if (refs.length === 0) return () => false;
  const entries = await usingMongo(settings, ({ db }) => createAuditLog(db).entries());
  const live = new Map(
    [...new Set(refs.map(({ model }) => model))].map((model) => [
      model,
      thresholdsInForce(entries.filter((one) => one.model === model && one.environment === 'production')),
    ]),
  );
  return ({ model, key }) => live.get(model) !== `thresholds-${key}`;
}
