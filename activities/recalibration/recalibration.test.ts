import { readFileSync } from 'node:fs';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Db } from 'mongodb';
import { parse } from 'yaml';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { bundleKey } from '../../stores/keys.js';
import type { LabelledPrediction } from '../../domain/predictions/types.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { Sfc32 } from '../../domain/thresholds/random.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import type { Manifest } from '../../schemas/types.js';
import { testSigner } from '../../test/support/live-tiny-bundle.js';
import { makeTinyBundle, TINY_MODEL, type TinyBundle } from '../../test/support/tiny-bundle.js';
import type { streamPredictions } from '../../stores/predictions/stream.js';
import type { RecalibrationActivities, ThresholdsOf } from './contract.js';
import { createRecalibrationActivities } from './recalibration.js';

const { signer, trustedKeys } = testSigner();
const spec = parse(readFileSync(projectPath('models', 'ulb_gbdt', 'model.yaml'), 'utf8')) as ModelSpec;
Object.assign(spec, { model: TINY_MODEL });
Object.assign(spec.recalibration, {
  min_rows: 500,
  min_frauds: 30,
  min_category_rows: 150,
  min_category_frauds: 10,
  missed_fraud: { feature: 'money', share: 1 },
  bootstrap: { rounds: 10, confidence: 0.95, seed: 1 },
});
const AS_OF = '2025-06-30T00:00:00.000Z';
const FROM = Date.UTC(2025, 2, 2);

let bundle: TinyBundle;
let manifest: Manifest;
let objects: Map<string, Buffer>;
let predictions: LabelledPrediction[];
let asked: Parameters<typeof streamPredictions>[2][];
let activities: RecalibrationActivities;
let input: ThresholdsOf;

beforeAll(async () => {
  bundle = await makeTinyBundle({ signer });
  manifest = JSON.parse(String(bundle.files.get('manifest.json'))) as Manifest;
});
beforeEach(() => {
  objects = new Map([...bundle.files].map(([name, bytes]) => [bundleKey(TINY_MODEL, bundle.version, name), bytes]));
  predictions = somePredictions();
  asked = [];
  input = {
    model: TINY_MODEL,
    key: '2025-06-30',
    asOf: AS_OF,
    environment: 'production',
    live: { version: bundle.version, manifestSha256: bundle.manifestSha256 },
  };
  const store = {
    endpoint: 'http://store',
    list: (prefix: string) =>
      Promise.resolve(
        [...objects]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, { length: bytes }]) => ({ key, bytes, etag: '', modifiedAt: '' })),
      ),
    bucket: 'b',
    get: (key: string) => {
      const bytes = objects.get(key);
      return Promise.resolve(bytes === undefined ? null : { bytes, etag: '' });
    },
    putIfAbsent: (key: string, bytes: Buffer) => {
      if (objects.has(key)) return Promise.resolve('exists' as const);
      objects.set(key, bytes);
      return Promise.resolve('created' as const);
    },
  } as Partial<ObjectStore> as ObjectStore;
  activities = createRecalibrationActivities({
    db: {} as Db,
    store,
    trustedKeys,
    models: { load: () => Promise.resolve({ spec }) },
    stream: async (_db, _data, window, each) => {
      asked.push(window);
      await each(predictions.slice(0, 700));
      await each(predictions.slice(700));
    },
  });
});

function somePredictions(): LabelledPrediction[] {
  const random = new Sfc32(5);
  const unit = (): number => random.next() / 2 ** 32;
  return Array.from({ length: 1500 }, (_, i) => {
    const label = unit() < 0.1;
    const calibrated_probability = Math.round((label ? 1 - unit() ** 2 : unit() ** 3) * 500) / 500;
    return {
      transaction_id: `t${i}`,
      booked_at: new Date(FROM + i * 1000),
      scored_at: new Date(FROM + i * 1000),
      model_version: '1',
      features: { money: Math.round(unit() * 300) },
      segment: i % 2 === 0 ? 'a' : 'b',
      score: calibrated_probability,
      calibrated_probability,
      decision: 'pass' as const,
      label: i % 50 === 0 ? null : label,
    };
  });
}

const run = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);
const proposed = () => run(() => activities.proposeThresholds(input));

it('proposes from the window before labels matured, of the live model version only, and stores it once', async () => {
  const first = await proposed();
  expect(asked).toEqual([
    {
      model: TINY_MODEL,
      modelVersion: manifest.model_version,
      environment: 'production',
      asOf: AS_OF,
      from: '2025-03-02T00:00:00.000Z',
      to: '2025-05-31T00:00:00.000Z',
    },
  ]);
  expect(first.counts).toMatchObject({ rows: 1500, labelled: 1470, unlabelled: 30, refused: 0 });
  expect(first.changed).toBe(true);
  const stored = objects.get(first.proposalKey) as Buffer;
  expect(first.proposalKey).toBe(`fraud/thresholds/${TINY_MODEL}/2025-06-30/proposal.json`);
  expect(sha256Hex(stored)).toBe(first.proposalSha256);
  const proposal = validate('threshold-proposal', JSON.parse(stored.toString('utf8')));
  const thresholds = objects.get(first.thresholdsKey) as Buffer;
  expect(sha256Hex(thresholds)).toBe(first.thresholdsSha256);
  expect(validate('per-category-thresholds', JSON.parse(thresholds.toString('utf8')))).toEqual(proposal.new);
  expect(proposal.base.thresholds_sha256).toBe(manifest.files['per_category_thresholds.json']?.sha256);

  predictions = predictions.slice(0, 900);
  expect(await proposed(), 'again: what was stored, not what it would be now').toEqual(first);
  expect(asked).toHaveLength(1);
  objects.delete(first.thresholdsKey);
  expect(await proposed(), 'killed between the two writes').toEqual(first);
  expect(objects.get(first.thresholdsKey)).toEqual(thresholds);
});

it('counts and leaves out predictions without a usable probability or amount', async () => {
  for (const [i, bad] of [NaN, -0.1, 1.1].entries())
    predictions[i] = { ...(predictions[i] as LabelledPrediction), calibrated_probability: bad };
  for (const [i, features] of [{}, { money: NaN }, { money: -1 }, { money: Infinity }].entries())
    predictions[10 + i] = {
      ...(predictions[10 + i] as LabelledPrediction),
      features: features,
    };
  const { counts, notes } = await proposed();
  expect(counts).toMatchObject({ rows: 1493, refused: 7 });
  expect(notes.join()).toMatch(/7 predictions were left out/);
});

it.each([
  ['nothing scored', () => [], /0 of 500 labelled rows and 0 of 30 frauds, among 0 predictions/],
  ['nothing labelled', () => somePredictions().map((one) => ({ ...one, label: null })), /0 of 500 .* among 1500 /],
  ['no frauds', () => somePredictions().map((one) => ({ ...one, label: false })), /1500 of 500 .* 0 of 30 frauds/],
])('is no proposal with %s, and says how much there was', async (_what, rows, message) => {
  predictions = rows();
  await expect(proposed()).rejects.toMatchObject({
    type: 'NotEnoughFeedback',
    details: { modelVersion: '1', newestProposal: null },
  });
  await expect(proposed()).rejects.toThrow(message);
  await expect(proposed()).rejects.toThrow(/sluice labels import/);
  expect([...objects.keys()].filter((key) => key.includes('thresholds/'))).toEqual([]);
});

it('computes the figures of an approver’s thresholds on the same rows, once per edits', async () => {
  const proposal = await proposed();
  const revise = (edits: Parameters<RecalibrationActivities['reviseThresholds']>[0]['edits']) =>
    run(() => activities.reviseThresholds({ ...input, proposal, edits }));
  const edited = await revise({ threshold: 0.42, per_category: { a: null } });
  expect(edited).toMatchObject({ edited: true, overall: { threshold: { new: 0.42 } }, counts: proposal.counts });
  const stored = JSON.parse((objects.get(edited.thresholdsKey) as Buffer).toString('utf8')) as {
    operating: { threshold: number; per_category: Record<string, number> };
  };
  expect(stored.operating.threshold).toBe(0.42);
  expect(Object.keys(stored.operating.per_category)).toEqual(['b']);
  expect(await revise({ threshold: 0.42, per_category: { a: null } })).toEqual(edited);
  expect((await revise({ threshold: 0.43 })).proposalKey).not.toBe(edited.proposalKey);

  objects.set(
    proposal.proposalKey,
    Buffer.from((objects.get(proposal.proposalKey) as Buffer).toString('utf8').replace('"refused": 0', '"refused": 1')),
  );
  await expect(revise({ threshold: 0.5 })).rejects.toMatchObject({ type: 'IntegrityError' });
});

it('refuses a stored proposal that was made against another model version or other thresholds', async () => {
  const { proposalKey } = await proposed();
  const text = (objects.get(proposalKey) as Buffer).toString('utf8');
  objects.set(
    proposalKey,
    Buffer.from(text.replace(/"thresholds_sha256": "[0-9a-f]{64}"/, `"thresholds_sha256": "${'f'.repeat(64)}"`)),
  );
  await expect(proposed()).rejects.toMatchObject({ type: 'Conflict', message: expect.stringContaining('--as-of') });
});

it('notices thresholds or a live file that somebody changed', async () => {
  const { thresholdsKey } = await proposed();
  objects.set(thresholdsKey, Buffer.from('{"operating":{"threshold":0,"per_category":{}},"budgets":{}}'));
  await expect(proposed()).rejects.toMatchObject({ type: 'IntegrityError' });
  objects.set(bundleKey(TINY_MODEL, bundle.version, 'rule_params.json'), Buffer.from('{"rules":[]}'));
  await expect(proposed()).rejects.toMatchObject({ type: 'IntegrityError' });
});
