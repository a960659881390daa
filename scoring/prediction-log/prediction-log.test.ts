import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silent } from '../../test/support/live-tiny-bundle.js';
import type { Batch } from './batch.js';
import { documentsOf } from './documents.js';
import { createPredictionLog, type PredictionLog } from './prediction-log.js';
import { FIGURES } from '../bundles/scored-rows.js';
import type { ScoredBy, ScoredRequest } from './scored-request.js';
import type { PredictionWriter } from './writer.js';

const by: ScoredBy = {
  versions: {
    model: 'm',
    model_version: '3',
    bundle_version: 'b',
    manifest_sha256: 'f'.repeat(64),
    generation: 2,
    thresholds_sha256: 'e'.repeat(64),
    fx_last_updated: null,
  },
  arm: 'champion',
  featureNames: ['amount', 'hour'],
};

function scored(requestId: string, rows: number, bytes = 100): ScoredRequest {
  const transactions = Array.from({ length: rows }, (_, index) => ({
    transaction_id: `${requestId}-${index}`,
    customer_id: 'ü',
    booked_at: '2025-06-20T12:00:00+02:00',
    amount: index,
  }));
  return {
    requestId,
    scoredAtMs: 1_000,
    body: Buffer.from(JSON.stringify(rows === 1 ? transactions[0] : transactions)),
    by,
    rows,
    features: Float32Array.from({ length: rows * 2 }, (_, index) => index / 2),
    figures: Float64Array.from({ length: rows * FIGURES }, (_, index) => (index % FIGURES === 4 ? 1 : index / 10)),
    segments: transactions.map((_, index) => (index === 0 ? null : 'card')),
    bytes,
  };
}

/** A database that can be away, and remembers ids. */
class FakeWriter implements PredictionWriter {
  ids: string[] = [];
  batches = 0;
  /** what the next writes do */
  mode: 'write' | 'fail' | 'hang' = 'write';
  private end: (() => void) | null = null;

  async write(batch: Batch) {
    if (this.mode === 'fail') throw new Error('the database is away');
    if (this.mode === 'hang')
      await new Promise<void>((_, reject) => (this.end = () => reject(new Error('terminated'))));
    const documents = documentsOf(structuredClone(batch), { environment: 'production', replica: 'r' });
    this.batches += 1;
    this.ids.push(...documents.map(({ _id }) => _id));
    return { written: documents.length, refused: 0, reason: null };
  }
  close() {
    this.end?.();
    return Promise.resolve();
  }
}

let writer: FakeWriter;
let log: PredictionLog;
const start = (rows = 10, bytes = 10_000) => {
  writer = new FakeWriter();
  log = createPredictionLog({ writer, bounds: { rows, bytes }, batch: { rows: 4, bytes: 5_000 }, log: silent });
};

describe('the prediction log', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('writes what was offered in batches, in order, and counts it', async () => {
    start();
    for (const id of ['a', 'b', 'c']) log.offer(scored(id, 2));
    expect(log.status()).toMatchObject({ pending: 6, written: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log.status()).toEqual({
      written: 6,
      dropped: 0,
      pending: 0,
      failed_batches: 0,
      error: null,
      dropping: false,
    });
    expect(writer.ids).toEqual(['a/0', 'a/1', 'b/0', 'b/1', 'c/0', 'c/1']);
    expect(writer.batches).toBe(2);
  });

  it('tries again while the database is away, drops the oldest beyond its bounds, and says so', async () => {
    start();
    writer.mode = 'fail';
    for (let index = 0; index < 13; index++) log.offer(scored(`r${index}`, 1));
    await vi.advanceTimersByTimeAsync(5_000);
    const away = log.status();
    expect(away).toMatchObject({ written: 0, dropped: 3, pending: 10, error: 'the database is away', dropping: true });
    expect(away.failed_batches).toBeGreaterThan(1);
    writer.mode = 'write';
    await vi.advanceTimersByTimeAsync(20_000);
    expect(log.status()).toMatchObject({ written: 10, dropped: 3, pending: 0, error: null });
    expect(writer.ids[0]).toBe('r3/0');
    await vi.advanceTimersByTimeAsync(6 * 60_000);
    expect(log.status().dropping).toBe(false);
  });

  it('goes on after it was empty, and after one that was too big for it', async () => {
    start();
    log.offer(scored('big', 11));
    expect(log.status()).toMatchObject({ dropped: 11, pending: 0 });
    for (const id of ['a', 'b']) {
      log.offer(scored(id, 1));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(writer.ids).toEqual(['a/0', 'b/0']);
  });

  it('a shutdown writes what is pending at once', async () => {
    start();
    for (let index = 0; index < 9; index++) log.offer(scored(`r${index}`, 1));
    await log.close(1_000);
    expect(log.status()).toMatchObject({ written: 9, pending: 0, dropped: 0 });
    log.offer(scored('late', 1));
    expect(log.status()).toMatchObject({ dropped: 1, pending: 0 });
  });

  it.each(['fail', 'hang'] as const)(
    'a shutdown ends in time when writes %s, and counts what was lost',
    async (mode) => {
      start();
      writer.mode = mode;
      for (let index = 0; index < 9; index++) log.offer(scored(`r${index}`, 1));
      const closed = log.close(1_000);
      await vi.advanceTimersByTimeAsync(1_500);
      await closed;
      expect(log.status()).toMatchObject({ written: 0, pending: 0, dropped: 9 });
    },
  );
});

describe('the documents of a batch', () => {
  it('have everything of their row', async () => {
    vi.useRealTimers();
    start();
    const seen: Batch[] = [];
    const spy = {
      write: (batch: Batch) => (seen.push(batch), Promise.resolve({ written: 3, refused: 0, reason: null })),
      close: () => Promise.resolve(),
    };
    const spied = createPredictionLog({ writer: spy, bounds: { rows: 9, bytes: 9_999 }, log: silent });
    spied.offer(scored('one', 1));
    spied.offer(scored('two', 2));
    await spied.close(1_000);
    const documents = documentsOf(seen[0] as Batch, { environment: 'staging', replica: 'r-1' });
    expect(documents.map(({ _id }) => _id)).toEqual(['one/0', 'two/0', 'two/1']);
    expect(documents[2]).toEqual({
      _id: 'two/1',
      request_id: 'two',
      transaction_id: 'two-1',
      customer_id: 'ü',
      booked_at: new Date('2025-06-20T10:00:00Z'),
      scored_at: new Date(1_000),
      model: 'm',
      model_version: '3',
      bundle_version: 'b',
      manifest_sha256: 'f'.repeat(64),
      thresholds_sha256: 'e'.repeat(64),
      generation: 2,
      environment: 'staging',
      replica: 'r-1',
      arm: 'champion',
      input: { transaction_id: 'two-1', customer_id: 'ü', booked_at: '2025-06-20T12:00:00+02:00', amount: 1 },
      features: { amount: 1, hour: 1.5 },
      segment: 'card',
      score: 0.5,
      calibrated_probability: 0.6,
      anomaly_score: 0.7,
      threshold: 0.8,
      decision: 'alert',
    });
  });
});
