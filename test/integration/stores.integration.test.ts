import { randomUUID } from 'node:crypto';
import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAuditChain } from '../../domain/audit/chain.js';
import type { LabelledPrediction } from '../../domain/predictions/types.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { COLLECTIONS, createIndexes } from '../../stores/collections.js';
import { createDecisionLog } from '../../stores/decision-log.js';
import { listDrift, readKeptDay, readSnapshot } from '../../stores/drift/archive.js';
import { claimRetraining } from '../../stores/drift/retrainings.js';
import { storedFixings } from '../../stores/fixings.js';
import { finishedImport } from '../../stores/imports.js';
import { createDeliveryLedger } from '../../stores/notification-ledger.js';
import { streamPredictions } from '../../stores/predictions/stream.js';
import { createReplicaRegistry } from '../../stores/replica-registry.js';
import { createPins } from '../../stores/retention/pins.js';
import { createRolloutVerdicts } from '../../stores/rollout-verdicts.js';
import { firstBooking } from '../../stores/transactions/window.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { startTestStack, type TestStack } from '../support/stack.js';
import { makeTinyBundle, pointTo, TINY_MODEL } from '../support/tiny-bundle.js';

// Collections, fields and values are spelled out as step 2 wrote them: a rename in the code must not lose what users have stored.

let stack: TestStack;
let mongo: Mongo;
let store: ObjectStore;
beforeAll(async () => {
  stack = await startTestStack(['mongo', 's3']);
  mongo = await testMongo(stack.env, `stores-${randomUUID()}`);
  store = await testStore(stack.env);
});
afterAll(async () => {
  store?.close();
  await mongo?.close();
  await stack?.stop();
});

const insert = (collection: string, ...documents: Document[]): Promise<unknown> =>
  mongo.db.collection(collection).insertMany(documents);
const NOON = new Date('2025-06-30T12:00:00.000Z');

describe('documents of step 2 are read', () => {
  it('audit_log: the chain is whole and goes on', async () => {
    await insert('audit_log', {
      seq: 1,
      prev_hash: '0'.repeat(64),
      put_id: 'p-1',
      model: 'm',
      environment: 'production',
      action: 'pointer-swap',
      generation: 1,
      old_version: null,
      new_version: 'v1',
      new_manifest_sha256: 'ab',
      release_id: 'r-1',
      actor: 'ada',
      reason: 'first',
      at: '2025-06-30T12:00:00.000Z',
      hash: '3a5c12a93ac3ee08866a020eb50cd850bde6a60c3fef25003bdf209c04ead08c',
    });
    const audit = createAuditLog(mongo.db);
    const entries = await audit.entries();
    expect(verifyAuditChain(entries)).toMatchObject({ intact: true, entries: 1 });
    expect(await audit.latestGeneration('m', 'production')).toBe(1);
    const { seq: _seq, prev_hash: _prev, hash: _hash, ...record } = entries[0] as (typeof entries)[number];
    await audit.append({ ...record, put_id: 'p-2', generation: 2, old_version: 'v1' });
    expect(verifyAuditChain(await audit.entries())).toMatchObject({ intact: true, entries: 2 });
    const indexes = await mongo.db.collection('audit_log').indexes();
    expect(indexes.filter(({ unique }) => unique === true).map(({ key }) => Object.keys(key as object))).toEqual([
      ['seq'],
      ['put_id'],
      ['model', 'environment', 'generation'],
    ]);
  });

  it('decision_log: a question that was answered gets that answer', async () => {
    const question = {
      model: 'm',
      workflowId: 'release/m-1',
      id: 'd-1',
      subject: 'approve',
      actor: 'ada',
      reason: 'fine',
      digest: 'ab',
      requester: 'bo',
    };
    const _id = '00895e33e057b1f2655cebbca5d7bd8c86e5b1e5e67a1d720b317ddd742a9c73';
    await insert('decision_log', { _id: _id as never, ...question, allowed: false, why: 'not an approver', at: NOON });
    const asked = createDecisionLog(mongo.db).once(question, undefined, () =>
      Promise.reject(new Error('asked although it is on record')),
    );
    // an answer of before proofs were noted
    expect(await asked).toEqual({ allowed: false, why: 'not an approver', proven: false });
  });

  it('notifications: what was sent is not sent again', async () => {
    const delivery = {
      _id: { sink: 'slack', key: 'release/m-1/failed' } as never,
      notice: { severity: 'critical', title: 'failed', text: 'why' },
      state: 'told',
      attempts: 1,
      maybe_told: false,
      first_at: NOON,
      lease_until: NOON,
      told_at: NOON,
      why: null,
    };
    const interrupted = { _id: { sink: 'mail', key: 'release/m-1/failed' } as never, state: 'sending', told_at: null };
    await insert('notifications', delivery, { ...delivery, ...interrupted });
    const ledger = createDeliveryLedger(mongo.db);
    const notification = { key: 'release/m-1/failed', severity: 'critical', title: 'failed', text: 'why' } as const;
    expect(await ledger.claim(notification, 'slack')).toEqual({ outcome: 'told' });
    expect(await ledger.claim(notification, 'mail')).toMatchObject({ outcome: 'claimed', attempt: 2, again: true });
    expect((await ledger.list(NOON, 10)).map(({ _id }) => _id.key)).toEqual(Array(2).fill('release/m-1/failed'));
  });

  it('rollout_verdicts: the rollback goes where it went', async () => {
    const { signer, trustedKeys } = testSigner();
    await pointTo(store, signer, await makeTinyBundle({ signer }), 3);
    const of = { model: TINY_MODEL, environment: 'production', verdict: 'Successful', why: '', at: NOON.toISOString() };
    await insert(
      'rollout_verdicts',
      { _id: `${TINY_MODEL}/production/1` as never, ...of, generation: 1, version: 'v1', manifestSha256: 'ab' },
      {
        ...of,
        _id: `${TINY_MODEL}/production/2` as never,
        generation: 2,
        version: 'v2',
        manifestSha256: 'cd',
        verdict: 'Failed',
      },
    );
    const verdicts = createRolloutVerdicts({ db: mongo.db, store, trustedKeys });
    expect(await verdicts.lastGood({ model: TINY_MODEL, environment: 'production' })).toEqual({
      version: 'v1',
      manifestSha256: 'ab',
    });
  });

  it('scoring_replicas: a replica that is alive is found', async () => {
    const replica = {
      _id: 'a' as never,
      instance: 'a-1',
      model: 'm',
      environment: 'production',
      address: 'http://127.0.0.1:1',
      generation: 4,
      version: 'v1',
      manifest_sha256: 'ab',
      lease_until: new Date(Date.now() + 3_600_000),
    };
    await insert('scoring_replicas', replica, { ...replica, _id: 'b' as never, generation: 5, lease_until: NOON });
    const registry = createReplicaRegistry(mongo.db);
    expect((await registry.live('m', 'production')).map(({ _id }) => _id)).toEqual(['a']);
    expect(await registry.newestGeneration('m', 'production')).toBe(5);
  });

  it('artifact_pins: a pinned bundle stays pinned', async () => {
    const pin = { model: 'm', version: 'v1', actor: 'ada', reason: 'audit', at: NOON.toISOString() };
    await insert('artifact_pins', { _id: 'm/v1' as never, ...pin });
    const pins = createPins(mongo.db);
    expect(await pins.of('m')).toEqual([pin]);
    expect(await pins.remove('m', 'v1')).toBe(true);
  });

  it('imports: a file that was imported is known', async () => {
    const summary = { read: 3, inserted: 2, updated: 0, unchanged: 1 };
    await insert('imports', { _id: 'bank_transactions/ab/0' as never, summary, finished_at: NOON });
    expect(await finishedImport(mongo.db, 'bank_transactions/ab/0')).toEqual(summary);
  });

  it('prediction_log, feedback_labels, and the collections that the spec names', async () => {
    const { spec } = await loadModel(projectPath('models'), 'ulb_gbdt');
    const booked_at = new Date('2025-01-10T12:00:00.000Z');
    await insert('prediction_log', {
      _id: 'request-1/0' as never,
      request_id: 'request-1',
      transaction_id: 'tx-1',
      booked_at,
      scored_at: booked_at,
      model: 'ulb_gbdt',
      model_version: '3',
      environment: 'production',
      features: { amount: 1 },
      segment: 'shopping',
      score: 0.9,
      calibrated_probability: 0.8,
      decision: 'alert',
    });
    const label = { is_fraud: true, labeled_at: booked_at, source: 'file', actor: 'ada', received_at: booked_at };
    await insert('feedback_labels', { _id: 'tx-1' as never, ...label });
    await insert('bank_transactions', { transaction_id: 'tx-1', booked_at });
    await insert('fx_fixings', { _id: '2025-01-10' as never, base: 'EUR', rates: { USD: 1.1 } });
    await createIndexes(mongo.db, COLLECTIONS.predictions, { retentionDays: 10_000 });

    const seen: LabelledPrediction[] = [];
    const times = { from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z', asOf: '2025-06-30T00:00:00Z' };
    await streamPredictions(
      mongo.db,
      spec.data,
      { model: 'ulb_gbdt', environment: 'production', ...times },
      (batch) => void seen.push(...batch),
    );
    expect(seen).toEqual([
      expect.objectContaining({ transaction_id: 'tx-1', model_version: '3', score: 0.9, label: true }),
    ]);
    expect(await firstBooking(mongo.db, spec.data, {})).toEqual(booked_at);
    expect(await storedFixings(mongo.db, spec.data, '2025-01-01', '2025-01-31')).toHaveLength(1);
  });

  it('drift_reports, drift_snapshots and retrainings', async () => {
    await insert('drift_reports', {
      _id: 'm/2025-06-30' as never,
      model: 'm',
      key: '2025-06-30',
      as_of: NOON,
      bundle_version: 'v1',
      model_version: '3',
      verdict: 'drift',
      why: 'amount moved',
      rows: 1400,
      features_with_drift: ['amount'],
      psi: { amount: 0.4 },
      alert_rate: 0.01,
      alert_rate_ratio: 2,
      staleness_hours: 1,
      is_stale: false,
      sustained: { days: 3, required: 3, of: 5 },
      action: 'retrain',
      report_key: null,
      page_key: null,
      mlflow_run_id: 'run-1',
      retraining: 'm-retrain-1',
    });
    const snapshot = { rows: 900 };
    await insert('drift_snapshots', {
      _id: 'm/2025-06-29' as never,
      model: 'm',
      key: '2025-06-29',
      as_of: new Date('2025-06-29T12:00:00.000Z'),
      snapshot_key: 'fraud/drift/m/weekly-2025-06-29/snapshot.json',
      snapshot,
    });
    expect(await readKeptDay(mongo.db, store, 'm', '2025-06-30')).toMatchObject({
      day: { verdict: 'drift', asOf: NOON.toISOString(), featuresWithDrift: ['amount'], alertRateRatio: 2 },
      mlflowRunId: 'run-1',
      retraining: 'm-retrain-1',
    });
    expect(await readSnapshot(mongo.db, 'm', '2025-06-29')).toEqual(snapshot);
    expect((await listDrift(mongo.db, 'm', 10)).map(({ kind, rows }) => [kind, rows])).toEqual([
      ['daily', 1400],
      ['weekly', 900],
    ]);

    const claim = { release_id: 'm-retrain-1', as_of: NOON, reason: 'drift', claimed_at: NOON, started_at: NOON };
    await insert('retrainings', { _id: 'm' as never, revision: 1, claims: [claim] });
    const later = '2025-07-01T12:00:00.000Z';
    const asked = { model: 'm', releaseId: 'm-retrain-2', asOf: later, reason: 'drift', claimedAt: later };
    expect(await claimRetraining(mongo.db, asked, 14)).toMatchObject({
      outcome: 'cooling-down',
      claim: { releaseId: 'm-retrain-1' },
    });
  });
});
