import type { Db } from 'mongodb';
import type { BundleId } from '../../domain/bundle/id.js';
import { DAY_MS, dayOf } from '../../domain/drift/calendar.js';
import type { DriftWindow } from '../../domain/drift/types.js';
import type { ModelSpec } from '../../schemas/types.js';
import { knownFrauds } from '../../stores/predictions/known-frauds.js';
import { streamPredictions } from '../../stores/predictions/stream.js';
import { MaturedColumns, WindowColumns } from './columns.js';

export interface ReadOptions {
  signal?: AbortSignal;
  /** rows so far */
  onProgress: (rows: number) => void;
}

/** What is read of which model version. */
export interface WindowTarget {
  model: string;
  modelVersion: string;
  /** ISO */
  asOf: string;
  /** fields of the request that the reference counts */
  inputs: readonly string[];
}

/**
 * What one model version answered live requests with in the window before `asOf`, as columns, with those that are known as frauds already; and of the
 * window as long that ended when labels had matured, the rows whose label is known. Another version's scores say nothing about this one. A window is
 * of whole days (UTC), for a part of one is like no day of the reference.
 * @returns with every bundle that answered
 */
export async function readWindow(
  db: Db,
  { data, drift }: Pick<ModelSpec, 'data' | 'drift'>,
  { model, modelVersion, asOf, inputs }: WindowTarget,
  { signal, onProgress }: ReadOptions,
): Promise<{ window: DriftWindow; bundles: BundleId[] }> {
  const endingAt = (toMs: number): { from: string; to: string } => ({
    from: iso(toMs - drift.window_days * DAY_MS),
    to: iso(toMs),
  });
  const end = dayOf(Date.parse(asOf)) * DAY_MS;
  const [now, mature] = [endingAt(end), endingAt(end - data.label_maturity_days * DAY_MS)];
  const stream = (
    window: { from: string; to: string; inputs?: readonly string[] },
    add: WindowColumns | MaturedColumns,
    before: number,
  ): Promise<void> =>
    streamPredictions(
      db,
      data,
      { model, modelVersion, environment: 'production', ...window, asOf },
      (batch) => add.add(batch),
      { ...(signal === undefined ? {} : { signal }), onProgress: (done) => onProgress(before + done) },
    );

  const current = new WindowColumns({ ...now, inputs, knownFrauds: await knownFrauds(db, data, now, asOf) });
  await stream({ ...now, inputs }, current, 0);
  const matured = new MaturedColumns();
  await stream(mature, matured, current.rows);
  return {
    window: current.window(matured.matured(mature.from, mature.to)),
    bundles: [...current.manifests].map(([version, manifestSha256]) => ({ version, manifestSha256 })),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
