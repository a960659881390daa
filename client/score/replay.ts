import { setTimeout as delay } from 'node:timers/promises';
import type { Db, Document } from 'mongodb';
import { requestFields } from '../../domain/features/check-model.js';
import type { LoadedModel } from '../../platform/models.js';
import { COLLECTIONS, openCollection, transactionsCollection } from '../../stores/collections.js';
import type { ScorerClient } from './scorer-client.js';

const BATCH = 200;
/** the scorer's log is left to catch up when this many predictions wait in its memory */
const MAX_PENDING = 10_000;
const PENDING_POLL_MS = 200;
const BATCHES_PER_LOOK = 5;

export interface ReplayInput {
  /** ISO; booked at or after, and before */
  from: string;
  to: string;
  /** transactions at most */
  limit?: number;
  /** transactions a second at most */
  rate?: number;
  signal?: AbortSignal;
  onProgress?: (progress: ReplayProgress) => void;
}

export interface ReplayProgress {
  read: number;
  scored: number;
  /** the log had them from an earlier replay */
  already: number;
  alerts: number;
  refused: number;
}

export interface ReplaySummary extends ReplayProgress {
  /** reason → transactions */
  reasons: Record<string, number>;
  bundle_version: string;
  /** what the scorer's log did meanwhile, others' requests included; null when it is off */
  prediction_log: { written: number; dropped: number } | null;
}

/**
 * Sends a window's transactions through a live scorer, as a user would, in order of booking. What its log has already is not sent again: a replay that
 * was interrupted goes on, one that was complete does nothing. Request ids are made of the window and the bundle, so another bundle scores anew.
 * @throws SluiceError Unreachable, or what the scorer answered
 */
export async function replay(
  deps: { db: Db; model: LoadedModel; scorer: ScorerClient },
  input: ReplayInput,
): Promise<ReplaySummary> {
  const { db, model, scorer } = deps;
  const { fields } = model.spec.data;
  const live = await scorer.metadata();
  const before = live.prediction_log;
  const compact = (iso: string): string => new Date(iso).toISOString().replaceAll(/[-:]|\.000/g, '');
  const prefix = `replay-${compact(input.from)}-${compact(input.to)}-${live.bundle_version}`;
  const summary: ReplaySummary = {
    read: 0,
    scored: 0,
    already: 0,
    alerts: 0,
    refused: 0,
    reasons: {},
    bundle_version: live.bundle_version,
    prediction_log: null,
  };
  const startedAtMs = performance.now();

  const send = async (documents: Document[], number: number): Promise<void> => {
    const requestId = `${prefix}-${number}`;
    let transactions = documents.map((document) => requestOf(document, model));
    if (await isLogged(db, requestId, transactions)) {
      summary.already += transactions.length;
      return;
    }
    // One transaction that the scorer refuses would keep its whole list out: the list goes again without it.
    for (let attempt = 0; transactions.length > 0; attempt += 1) {
      const answer = await scorer.score(transactions, attempt === 0 ? requestId : `${requestId}.${attempt}`);
      if ('results' in answer) {
        summary.scored += answer.results.length;
        summary.alerts += answer.results.filter(({ decision }) => decision === 'alert').length;
        return;
      }
      const refused = new Set<number>();
      for (const { path, message } of answer.violations) {
        const [, index = '', ...field] = path.split('/');
        if (refused.has(Number(index))) continue;
        refused.add(Number(index));
        const reason = `/${field.join('/')} ${message}`;
        summary.reasons[reason] = (summary.reasons[reason] ?? 0) + 1;
      }
      summary.refused += refused.size;
      transactions = transactions.filter((_, index) => !refused.has(index));
    }
  };

  const cursor = openCollection(db, transactionsCollection(model.spec.data)).find(
    { [fields.time]: { $gte: new Date(input.from), $lt: new Date(input.to) } },
    {
      projection: {
        _id: 0,
        ...Object.fromEntries([...requestFields(model.requestSchema).keys()].map((name) => [name, 1])),
      },
      sort: { [fields.time]: 1, [fields.id]: 1 },
      ...(input.limit === undefined ? {} : { limit: input.limit }),
      batchSize: BATCH * 10,
    },
  );
  let batch: Document[] = [];
  let number = 0;
  const flush = async (): Promise<void> => {
    input.signal?.throwIfAborted();
    await send(batch, number);
    number += 1;
    batch = [];
    input.onProgress?.(summary);
    if (before !== null && number % BATCHES_PER_LOOK === 0) await untilLogged(scorer, MAX_PENDING, input.signal);
    if (input.rate === undefined) return;
    const aheadMs = (summary.scored / input.rate) * 1_000 - (performance.now() - startedAtMs);
    if (aheadMs > 0) await delay(aheadMs, undefined, input.signal === undefined ? {} : { signal: input.signal });
  };
  try {
    for await (const document of cursor) {
      batch.push(document);
      summary.read += 1;
      if (batch.length === BATCH) await flush();
    }
    if (batch.length > 0) await flush();
  } finally {
    await cursor.close();
  }
  if (before !== null) {
    const after = await untilLogged(scorer, 0, input.signal);
    if (after !== null)
      summary.prediction_log = { written: after.written - before.written, dropped: after.dropped - before.dropped };
  }
  return summary;
}

/** A transaction of the model's collection as a request: its fields and no label, times as RFC 3339. */
function requestOf(document: Document, model: LoadedModel): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  for (const name of requestFields(model.requestSchema).keys()) {
    const value = document[name] as unknown;
    if (value !== undefined) request[name] = value instanceof Date ? value.toISOString() : value;
  }
  return request;
}

/** Whether exactly these transactions are in the log under this request. */
async function isLogged(db: Db, requestId: string, transactions: readonly Record<string, unknown>[]): Promise<boolean> {
  const logged = await openCollection(db, COLLECTIONS.predictions)
    .find(
      { _id: { $in: transactions.map((_, position) => `${requestId}/${position}`) } },
      { projection: { input: 1 }, batchSize: transactions.length },
    )
    .toArray();
  const inputs = new Map(logged.map(({ _id, input }) => [_id, JSON.stringify(input)]));
  return transactions.every(
    (transaction, position) => inputs.get(`${requestId}/${position}`) === JSON.stringify(transaction),
  );
}

/** Waits until no more than so many predictions wait in the scorer's memory; gives its counters, null when its log is off. */
async function untilLogged(scorer: ScorerClient, pending: number, signal: AbortSignal | undefined) {
  for (;;) {
    const { prediction_log: counters } = await scorer.health();
    if (counters === null || counters.pending <= pending) return counters;
    await delay(PENDING_POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}
