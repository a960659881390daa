import type { Db } from 'mongodb';
import type { DriftWindow } from '../../domain/drift/types.js';
import type { ModelSpec } from '../../schemas/types.js';
import { streamPredictions } from '../../stores/predictions/stream.js';
import { MaturedColumns, WindowColumns } from './columns.js';

const DAY_MS = 86_400_000;

export interface ReadOptions {
  signal?: AbortSignal;
  /** rows so far */
  onProgress: (rows: number) => void;
}

/**
 * What one model version answered live requests with in the window before `asOf`, as columns; and of the window as long that ended when labels
 * had matured, the rows whose label is known. Another version's scores say nothing about this one.
 */
export async function readWindow(
  db: Db,
  { data, drift }: Pick<ModelSpec, 'data' | 'drift'>,
  { model, modelVersion, asOf }: { model: string; modelVersion: string; asOf: string },
  { signal, onProgress }: ReadOptions,
): Promise<DriftWindow> {
  const end = Date.parse(asOf);
  const maturedEnd = end - data.label_maturity_days * DAY_MS;
  const stream = (toMs: number, add: WindowColumns | MaturedColumns, before: number): Promise<void> =>
    streamPredictions(
      db,
      data,
      {
        model,
        modelVersion,
        environment: 'production',
        from: iso(toMs - drift.window_days * DAY_MS),
        to: iso(toMs),
        asOf,
      },
      (batch) => add.add(batch),
      { ...(signal === undefined ? {} : { signal }), onProgress: (done) => onProgress(before + done) },
    );

  const current = new WindowColumns();
  await stream(end, current, 0);
  const matured = new MaturedColumns();
  await stream(maturedEnd, matured, current.rows);
  return current.window(
    iso(end - drift.window_days * DAY_MS),
    iso(end),
    matured.matured(iso(maturedEnd - drift.window_days * DAY_MS), iso(maturedEnd)),
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
