import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { parse } from 'yaml';
import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import {
  bundleExpectation,
  lookupVersionFile,
  MANIFEST_FILE,
  MANIFEST_PAYLOAD_TYPE,
  SIGNATURE_FILE,
} from '../../domain/bundle/layout.js';
import { bundleKey, pointerKey } from '../../stores/keys.js';
import { buildManifest } from '../../domain/bundle/manifest.js';
import { signEnvelope, type Signer } from '../../domain/dsse/dsse.js';
import { compileFeatures } from '../../domain/features/compile.js';
import { writePointerFile } from '../../domain/pointer/pointer.js';
import { compileIsotonic } from '../../domain/scoring-decision/isotonic.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { FeatureRegistry, ModelSpec, Pointer, ReferenceProfile } from '../../schemas/types.js';

export const TINY_MODEL = 'tiny';

/** The part of a spec that says what a tiny bundle holds. */
export const tinySpec: Pick<ModelSpec, 'segment' | 'lookups' | 'bundle_files'> = {
  segment: 'kind',
  lookups: {
    kinds: { builder: 'static', file: 'kinds.json', schema: 'operation-type-synonyms' },
    merchants: {
      builder: 'frequency',
      file: 'merchants.json',
      schema: 'merchant-freq-map',
      key: 'merchant',
      min_count: 1,
    },
    stats: {
      builder: 'robust_stats',
      file: 'stats.json',
      schema: 'category-stats',
      group: 'kind',
      value: 'amount_base',
      min_rows: 1,
    },
    rates: { builder: 'fixings', file: 'rates.json', schema: 'fx-rates', trailing_days: 30 },
  },
  bundle_files: [
    'pipeline.onnx',
    'if_pipe.onnx',
    'isotonic.json',
    'per_category_thresholds.json',
    'rule_params.json',
    'request_schema.json',
    'feature_registry.json',
    'golden_vectors.json',
    'model_card.md',
    'kinds.json',
    'merchants.json',
    'stats.json',
    'rates.json',
  ],
};
export const tinyExpectation = bundleExpectation(tinySpec);

const about = { owner: 'test', event_time: 'booked_at', window: null, delay: null, unit: '1' };
const impute = { on_null: 'impute' as const, value: 0 };
const refuse = { on_null: 'refuse' as const };

export const tinyRegistry: FeatureRegistry = {
  registry_version: 1,
  model: TINY_MODEL,
  derived: [
    {
      name: 'kind',
      logic: 'canonical spelling',
      op: { kind: 'canonical', input: 'operation_type', lookup: 'kinds' },
      null_policy: { on_null: 'keep' },
    },
    {
      name: 'merchant',
      logic: 'normalised name',
      op: { kind: 'normalise', input: 'merchant_name' },
      null_policy: { on_null: 'keep' },
    },
    {
      name: 'amount_base',
      logic: 'in USD',
      op: {
        kind: 'convert',
        amount: 'amount',
        currency: 'currency',
        at: 'booked_at',
        lookup: 'rates',
        before_oldest: 'oldest',
      },
      null_policy: { on_null: 'refuse' },
    },
  ],
  features: [
    {
      ...about,
      name: 'log_amount',
      logic: 'log1p',
      sources: ['amount'],
      null_policy: refuse,
      op: { kind: 'log1p', input: 'amount_base' },
    },
    {
      ...about,
      name: 'amount_z',
      logic: 'robust z',
      sources: ['amount'],
      null_policy: refuse,
      op: { kind: 'robust_z', value: 'amount_base', group: 'kind', lookup: 'stats' },
      reason: { code: 'UNUSUAL_AMOUNT', text: 'the amount is unusual for its kind', above: 3 },
    },
    {
      ...about,
      name: 'merchant_freq',
      logic: 'frequency',
      sources: ['merchant_name'],
      null_policy: impute,
      op: { kind: 'frequency', key: 'merchant', lookup: 'merchants' },
    },
    {
      ...about,
      name: 'hour',
      logic: 'UTC hour',
      sources: ['booked_at'],
      null_policy: refuse,
      op: { kind: 'hour_of_day', at: 'booked_at' },
    },
    {
      ...about,
      name: 'weekday',
      logic: 'UTC weekday',
      sources: ['booked_at'],
      null_policy: refuse,
      op: { kind: 'day_of_week', at: 'booked_at' },
    },
    {
      ...about,
      name: 'kind_index',
      logic: 'index',
      sources: ['operation_type'],
      null_policy: impute,
      op: { kind: 'index_of', input: 'kind', values: ['transfer', 'card', 'atm'] },
    },
  ],
};

/** What training would have reported of its data. A tiny bundle is from before that, unless a test puts this in. */
export const tinyProfile: ReferenceProfile = {
  as_of: '2025-06-30T00:00:00Z',
  rows: 1,
  features: [
    {
      name: 'hour',
      kind: 'numeric',
      missing_value: null,
      period_hours: 24,
      count: 1,
      missing_fraction: 0,
      mean: 1,
      std: 0,
      quantiles: [1, 1],
    },
  ],
  score: { count: 1, quantiles: [0, 1], alert_rate: 0 },
  target: { count: 1, rate: 0 },
  segments: [],
};

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });
const requestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Transaction',
  type: 'object',
  additionalProperties: false,
  required: ['transaction_id', 'customer_id', 'booked_at', 'amount', 'currency', 'operation_type', 'merchant_name'],
  properties: {
    transaction_id: text(64),
    customer_id: text(64),
    booked_at: { type: 'string', format: 'date-time' },
    amount: { type: 'number', minimum: 0 },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    operation_type: text(100),
    merchant_name: { type: 'string', maxLength: 200 },
  },
};

const tinyRules = {
  rules: [{ name: 'huge-amount', feature: 'log_amount', above: 8, decision: 'alert', reason_code: 'HUGE_AMOUNT' }],
};

export const tinyTransaction = {
  transaction_id: 't-1',
  customer_id: 'c-1',
  booked_at: '2025-06-20T10:00:00Z',
  amount: 120.5,
  currency: 'EUR',
  operation_type: 'Card Payment',
  merchant_name: 'Corner Shop',
};

const lookups = (eurRate: number): Record<string, unknown> => ({
  kinds: { canonical: ['transfer', 'card', 'atm'], synonyms: { 'card payment': 'card', 'cash withdrawal': 'atm' } },
  merchants: { total: 1000, floor: 0.0001, frequencies: { 'corner shop': 0.008, bakery: 0.002 } },
  stats: {
    unit: 'USD',
    overall: { count: 1000, median: 40, iqr: 30, p995: 900 },
    categories: { card: { count: 600, median: 30, iqr: 20, p995: 500 } },
  },
  rates: {
    base_currency: 'USD',
    last_updated: '2025-06-19T14:00:00Z',
    fixing_date: '2025-06-19',
    exchange_rates: { USD: 1, EUR: eurRate },
    trailing: [{ date: '2025-06-18', exchange_rates: { USD: 1, EUR: eurRate - 0.01 } }],
  },
});

export interface TinyBundle {
  version: string;
  manifestSha256: string;
  files: Map<string, Buffer>;
}

export interface TinyOptions {
  signer: Signer;
  /** which of the models: `b` scores differently, `counted` as `a`, and has its counts of training rows */
  model?: 'a' | 'b' | 'counted';
  eurRate?: number;
  /** patch number in the version's name, to tell bundles apart */
  patch?: number;
  /** makes the golden vectors wrong by this much */
  goldenError?: number;
  /** replaces files after everything else was computed from the right ones; the manifest is made of these */
  replace?: Record<string, Buffer>;
}

const RAW = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({
  ...tinyTransaction,
  transaction_id: `g-${i}`,
  booked_at: `2025-06-${19 + (i % 3)}T${String(i * 3).padStart(2, '0')}:15:00Z`,
  amount: [3, 12.5, 80, 240, 999.99, 5000, 0, 61][i] ?? 1,
  currency: i % 2 === 0 ? 'EUR' : 'USD',
  operation_type: ['transfer', 'CARD payment', 'atm', 'unheard of'][i % 4] ?? '',
  merchant_name: i % 3 === 0 ? '' : 'Bakery',
}));

/** A complete, signed bundle with golden vectors computed here, by ONNX Runtime in this thread and the features' own code. */
export async function makeTinyBundle(options: TinyOptions): Promise<TinyBundle> {
  const { model = 'a', eurRate = 1.15, patch = 0, goldenError = 0 } = options;
  const onnx = (name: string) => readFileSync(projectPath('test', 'fixtures', 'tiny-models', `${name}.onnx`));
  const documents = lookups(eurRate);
  const isotonic = { x: [0.05, 0.3, 0.9], y: [0.001, 0.2, 0.97] };
  const computer = compileFeatures(tinyRegistry, documents);

  const rows = RAW.map((transaction) => ({ transaction, features: [...computer.compute(transaction).values] }));
  const input = new Tensor('float32', Float32Array.from(rows.flatMap(({ features }) => features)), [
    rows.length,
    computer.names.length,
  ]);
  const classifier = await InferenceSession.create(onnx(model));
  const isolation = await InferenceSession.create(onnx('anomaly'));
  const probabilities = (await classifier.run({ features: input }, ['probabilities']))['probabilities']
    ?.data as Float32Array;
  const anomalies = (await isolation.run({ features: input }))['anomaly_score']?.data as Float32Array;
  await Promise.all([classifier.release(), isolation.release()]);
  const calibrate = compileIsotonic(isotonic);
  const vectors = rows.map(({ features }, index) => {
    const score = probabilities[index * 2 + 1] ?? NaN;
    return {
      features,
      score: score + goldenError,
      calibrated_probability: calibrate(score),
      anomaly_score: anomalies[index] ?? NaN,
    };
  });

  const json: Record<string, unknown> = {
    'isotonic.json': isotonic,
    'per_category_thresholds.json': { operating: { threshold: 0.5, per_category: { atm: 0.9 } }, budgets: {} },
    'rule_params.json': tinyRules,
    'request_schema.json': requestSchema,
    'feature_registry.json': tinyRegistry,
    'golden_vectors.json': {
      feature_names: computer.names,
      features: vectors,
      raw: vectors.map((vector, index) => ({ transaction: rows[index]?.transaction, ...vector })),
    },
  };
  const version = `20250630-120000-1.0.${patch}-0a1b2c3`;
  const files = new Map<string, Buffer>([
    ['pipeline.onnx', onnx(model)],
    ['if_pipe.onnx', onnx('anomaly')],
    ['model_card.md', Buffer.from('# A tiny model for tests\n')],
    ...Object.entries(json).map(([name, document]): [string, Buffer] => [name, readableJson(document)]),
  ]);
  for (const [name, { file }] of Object.entries(tinySpec.lookups)) {
    const bytes = readableJson(documents[name]);
    files.set(file, bytes);
    files.set(
      lookupVersionFile(file),
      readableJson({
        artifact: name,
        version: `2025-06-30-${patch}`,
        sha256: sha256Hex(bytes),
        as_of: '2025-06-30T00:00:00Z',
        window: { from: '2025-04-01T00:00:00Z', to: '2025-06-30T00:00:00Z' },
        rows: 1000,
        created_at: '2025-06-30T12:00:00Z',
        inputs: {},
      }),
    );
  }
  for (const [name, bytes] of Object.entries(options.replace ?? {})) files.set(name, bytes);

  const manifest = buildManifest(
    {
      model: TINY_MODEL,
      modelVersion: String(patch + 1),
      version,
      runId: 'run-1',
      gitSha: '0a1b2c3',
      trainedAt: '2025-06-30T11:00:00Z',
      asOf: '2025-06-30T00:00:00Z',
      dataSnapshotId: 'snapshot-1',
      metrics: { auc_pr: 0.8 },
      parentVersion: null,
      releaseId: `release-${patch}`,
    },
    files,
  );
  files.set(MANIFEST_FILE, manifest.bytes);
  files.set(SIGNATURE_FILE, readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, manifest.bytes, options.signer)));
  return { version, manifestSha256: manifest.sha256, files };
}

export function tinyPointer(
  bundle: TinyBundle,
  generation: number,
  environment: Pointer['environment'] = 'production',
): Pointer {
  return {
    model: TINY_MODEL,
    version: bundle.version,
    manifest_sha256: bundle.manifestSha256,
    environment,
    generation,
    candidate: null,
    release_id: `release-${generation}`,
    put_id: `put-${generation}`,
    previous_version: null,
    actor: 'test',
    reason: 'a test',
    updated_at: '2025-06-30T12:00:00Z',
  };
}

export async function publishTinyBundle(store: ObjectStore, bundle: TinyBundle): Promise<void> {
  await Promise.all(
    [...bundle.files].map(([name, bytes]) =>
      store.putIfAbsent(bundleKey(TINY_MODEL, bundle.version, name), bytes, 'application/octet-stream'),
    ),
  );
}

/** Whatever stood there before: tests also go back. */
export async function pointTo(
  store: ObjectStore,
  signer: Signer,
  bundle: TinyBundle,
  generation: number,
  environment: Pointer['environment'] = 'production',
): Promise<void> {
  const key = pointerKey(TINY_MODEL, environment);
  const current = await store.head(key);
  const put = await store.putIfMatch(
    key,
    writePointerFile(tinyPointer(bundle, generation, environment), signer),
    current?.etag ?? null,
  );
  if (put.outcome !== 'swapped') throw new Error('another writer moved the pointer during a test');
}

/** A models folder with the tiny model in it: the demo model's spec, with the tiny model's parts. */
export function writeTinyModel(modelsDir: string): void {
  const demo = parse(readFileSync(projectPath('models', 'ulb_gbdt', 'model.yaml'), 'utf8')) as ModelSpec;
  const spec = { ...demo, ...tinySpec, model: TINY_MODEL, feature_registry: 'features.json' };
  spec.data.checks = { ...spec.data.checks, max_missing_fraction: {}, max_unmapped_fraction: {} };
  const documents: Record<string, unknown> = {
    'model.yaml': spec,
    'features.json': tinyRegistry,
    [spec.request_schema]: requestSchema,
    [spec.rule_params]: tinyRules,
    'kinds.json': lookups(1)['kinds'],
  };
  mkdirSync(join(modelsDir, TINY_MODEL), { recursive: true });
  for (const [file, document] of Object.entries(documents))
    writeFileSync(join(modelsDir, TINY_MODEL, file), JSON.stringify(document));
}
