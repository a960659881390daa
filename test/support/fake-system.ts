import { readFileSync } from 'node:fs';
import { ApplicationFailure } from '@temporalio/common';
import { parse } from 'yaml';
import type { ApprovalActivities } from '../../activities/approval/contract.js';
import type { BundleActivities } from '../../activities/bundle/contract.js';
import type { ProvenanceActivities, RegistryActivities } from '../../activities/registry/contract.js';
import type { TrainingDataActivities } from '../../activities/training-data/contract.js';
import type { DeliveryActivities, NotifyActivities } from '../../activities/notification/contract.js';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import type { ReleaseReport, ReportActivities } from '../../activities/report/contract.js';
import type {
  LiveStateActivities,
  ReplicaActivities,
  RolloutActivities,
  ScorerActivities,
} from '../../activities/rollout/contract.js';
import type { LiveState } from '../../domain/release/live-state.js';
import type { ModelSpecActivities } from '../../activities/model-spec/contract.js';
import { createModelSpecActivities } from '../../activities/model-spec/model-spec.js';
import type { TrainerActivities } from '../../activities/trainer/contract.js';
import { refusal } from '../../domain/approval/authorise.js';
import { ENVIRONMENTS } from '../../domain/pointer/environments.js';
import { decideSwap, nextPointer, type PointerChange } from '../../domain/pointer/pointer.js';
import type { Notification } from '../../domain/notification/notification.js';
import { lastGood, type VerdictRecord } from '../../domain/release/last-good.js';
import type {
  BundleRef,
  Metrics,
  ModelSpec,
  Pointer,
  PointerSwap,
  ReplicaInfo,
  SnapshotRef,
} from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';

type Everything = ModelSpecActivities &
  TrainingDataActivities &
  TrainerActivities &
  RegistryActivities &
  ProvenanceActivities &
  BundleActivities &
  PointerActivities &
  ScorerActivities &
  ApprovalActivities &
  ReportActivities &
  RolloutActivities &
  LiveStateActivities &
  NotifyActivities &
  DeliveryActivities;

const GOOD: Metrics = {
  auc_roc: 0.98,
  auc_pr: 0.8,
  precision: 0.8,
  recall: 0.7,
  f1_score: 0.75,
  alert_rate: 0.02,
  scoring_latency_p99_ms: 1,
  precision_at_1pct: 0.9,
};

const final = (type: string, message: string) => ApplicationFailure.nonRetryable(message, type);

/**
 * The outside world of the workflows, in memory, for tests of the workflows' own logic. Strict where the real one is: a pointer moves only
 * by the expected generation, a replica refuses an older one, a bundle must exist to be named, a stage needs a registered version. Pointer, registry
 * and rollout records are held to the suites of `test/contracts/` that the real ones are held to.
 */
export class FakeSystem {
  private readonly pointers = new Map<Pointer['environment'], Pointer>();
  readonly bundles = new Map<string, BundleRef>();
  readonly registry = new Map<string, { stage: string; runId: string }>();
  readonly aliases = new Map<string, string>();
  readonly reports: ReleaseReport[] = [];
  /** titles of notifications, and the whole of them */
  readonly alerts: string[] = [];
  readonly notifications: Notification[] = [];
  readonly verdicts: (VerdictRecord & { environment: string })[] = [];
  readonly generations: number[] = [];
  replicaGeneration = 0;
  /** what a test sets to make something go wrong, or to look in between */
  metrics: Metrics = { ...GOOD };
  spec = parse(readFileSync(projectPath('models', 'ulb_gbdt', 'model.yaml'), 'utf8')) as ModelSpec;
  dataPasses = true;
  /** who has a token on file, and shows it; they may weaken the spec as well */
  readonly tokens = new Set<string>();
  smokeFails = (_version: string): boolean => false;
  beforeSwap: (() => Promise<void>) | null = null;
  /** replicas besides `r1` that hold a lease; nobody answers for them but the lease */
  otherReplicas = (): ReplicaInfo[] => [];
  /** what a look at the live state finds under way; null: it finds nothing live, as tests that put bundles live by force want */
  underWay: LiveState['underWay'] | null = null;
  beforeDelivery = (): Promise<void> => Promise.resolve();
  /** why the spec cannot be loaded; null: it can */
  refuses: string | null = null;
  lookupsOf = (_releaseId: string): string[] => [];

  /** the pointer of production */
  get pointer(): Pointer | null {
    return this.pointers.get('production') ?? null;
  }
  set pointer(pointer: Pointer | null) {
    if (pointer === null) this.pointers.delete('production');
    else this.pointers.set('production', pointer);
  }

  /** Publishes a bundle that no release made. */
  publish(version: string, asOf = '2025-06-01T00:00:00.000Z'): BundleRef {
    return this.bundle(version, asOf, `model of ${version}`, null, '0');
  }

  /** Puts a bundle live by force, as a rival that won would have. */
  goLive(version: string, asOf?: string): void {
    const { manifestSha256 } = this.publish(version, asOf);
    this.movePointer({
      model: 'ulb_gbdt',
      environment: 'production',
      bundle: { version, manifestSha256 },
      expectedGeneration: this.pointer?.generation ?? 0,
      releaseId: 'rival',
      putId: `forced-${version}`,
      actor: 'rival',
      reason: 'forced',
      updatedAt: '2025-07-01T00:00:00.000Z',
    });
  }

  private bundle(
    version: string,
    asOf: string,
    content: string,
    parentVersion: string | null,
    modelVersion: string,
  ): BundleRef {
    const ref: BundleRef = {
      model: 'ulb_gbdt',
      version,
      manifestSha256: `sha of ${version}`,
      contentSha256: content,
      onnxSha256: content,
      parentVersion,
      modelVersion,
      asOf,
    };
    this.bundles.set(version, ref);
    return ref;
  }

  private movePointer(change: PointerChange): Pointer {
    const next = nextPointer(this.pointers.get(change.environment) ?? null, change);
    this.generations.push(next.generation);
    this.pointers.set(change.environment, next);
    return next;
  }

  private told(notification: Notification): Promise<void> {
    // As the ledger has it: an occasion is told once.
    if (this.notifications.some(({ key }) => key === notification.key)) return Promise.resolve();
    this.alerts.push(notification.title);
    this.notifications.push(notification);
    return Promise.resolve();
  }

  readonly replica: ReplicaActivities = {
    reload: ({ version, manifestSha256, generation }) => {
      if (generation < this.replicaGeneration) return Promise.reject(final('Conflict', 'older'));
      this.replicaGeneration = generation;
      return Promise.resolve({ replicaId: 'r1', version, manifestSha256, generation, loadedInMs: 1 });
    },
  };

  readonly activities: Everything = {
    loadModelSpec: async (input) => {
      if (this.refuses !== null) throw final('InvalidSpec', this.refuses);
      const put = () => Promise.resolve('created' as const);
      const store = { get: () => Promise.resolve(null), putIfAbsent: put, bucket: 'b', endpoint: 'e' };
      const models = {
        load: () => Promise.resolve({ spec: structuredClone(this.spec), specSha256: '0' } as LoadedModel),
      };
      try {
        return await createModelSpecActivities({ models, store, gitSha: '0'.repeat(40) }).loadModelSpec(input);
      } catch (error) {
        throw error instanceof SluiceError ? final(error.type, error.message) : error;
      }
    },
    snapshot: ({ asOf, releaseId }) =>
      Promise.resolve<SnapshotRef>({
        dataSnapshotId: `snap-${releaseId}`,
        prefix: 'p/',
        parquetKey: 'p/snapshot.parquet',
        contentSha256: '0',
        asOf,
        from: asOf,
        to: asOf,
        rows: 1000,
        positives: 20,
        splits: { train: 650, validation: 150, test: 200 },
        featureNames: ['a'],
        featureRegistrySha256: '0',
      }),
    validateData: () =>
      Promise.resolve({
        passed: this.dataPasses,
        checks: [
          {
            name: 'rows',
            passed: this.dataPasses,
            observed: 1000,
            required: '≥ 2000',
            message: 'rows is 1000, 1000 below 2000',
          },
        ],
      }),
    championFeatures: ({ bundle }) => Promise.resolve({ parquetKey: `features of ${bundle.version}` }),
    train: ({ releaseId }) =>
      Promise.resolve({
        runId: `run-${releaseId}`,
        experimentId: '1',
        onnxSha256: `onnx of ${releaseId}`,
        trainedAt: '2025-07-01T00:00:00.000Z',
        operatingThreshold: 0.4,
        artifacts: {},
      }),
    evaluate: ({ champion }) =>
      Promise.resolve({
        metrics: this.metrics,
        champion: champion === null ? null : { version: champion.version, metrics: GOOD },
      }),
    register: ({ runId }) => {
      const existing = [...this.registry].find(([, entry]) => entry.runId === runId)?.[0];
      // A version that went on stays where it is, as with the real one.
      if (existing !== undefined) return Promise.resolve({ modelVersion: existing });
      const modelVersion = String(this.registry.size + 1);
      this.registry.set(modelVersion, { stage: 'Staging', runId });
      this.aliases.set('challenger', modelVersion);
      return Promise.resolve({ modelVersion });
    },
    setStage: ({ modelVersion, stage }) => {
      const entry = this.registry.get(modelVersion);
      if (entry === undefined) return Promise.reject(final('NotFound', `no version ${modelVersion}`));
      entry.stage = stage;
      return Promise.resolve();
    },
    setAlias: ({ alias, modelVersion }) => {
      if (modelVersion !== null && !this.registry.has(modelVersion))
        return Promise.reject(final('NotFound', `no version ${modelVersion}`));
      if (modelVersion === null) this.aliases.delete(alias);
      else this.aliases.set(alias, modelVersion);
      return Promise.resolve();
    },
    tagModelVersion: ({ modelVersion }) =>
      this.registry.has(modelVersion)
        ? Promise.resolve()
        : Promise.reject(final('NotFound', `no version ${modelVersion}`)),
    provenance: ({ runId, modelVersion, champion }) =>
      Promise.resolve({
        links: { run: `http://mlflow/#/runs/${runId}`, version: `http://mlflow/#/versions/${modelVersion}` },
        champion:
          champion === null
            ? null
            : {
                bundle: champion,
                files: `s3://bucket/${champion}/`,
                modelVersion: '0',
                asOf: '2025-06-01T00:00:00.000Z',
                links: { run: null, version: 'http://mlflow/#/versions/0' },
                snapshotId: 'snap-before',
                data: { from: '2025-01-01', to: '2025-03-31', rows: 900, positives: 9 },
              },
        parameters: [{ name: 'num_leaves', champion: champion === null ? null : '15', candidate: '31' }],
      }),
    registryState: () =>
      Promise.resolve({
        champion: this.aliases.get('champion') ?? null,
        challenger: this.aliases.get('challenger') ?? null,
        production: [...this.registry].filter(([, { stage }]) => stage === 'Production').map(([version]) => version),
      }),
    composeBundle: ({ releaseId, snapshot, base, modelVersion, createdAt }) => {
      const version = `${releaseId}@${createdAt}`;
      return Promise.resolve({
        ...this.bundle(version, snapshot.asOf, `content of ${releaseId}`, base?.version ?? null, modelVersion),
        rebasedLookups: this.lookupsOf(releaseId),
      });
    },
    verifyBundle: ({ version }) => {
      const ref = this.bundles.get(version);
      return ref === undefined ? Promise.reject(final('IntegrityError', `no bundle ${version}`)) : Promise.resolve(ref);
    },
    readPointer: ({ environment }) =>
      Promise.resolve(environment).then((name) => this.pointers.get(known(name)) ?? null),
    swapPointer: async (input) => {
      const hook = this.beforeSwap;
      this.beforeSwap = null;
      await hook?.();
      const change = { ...input, environment: known(input.environment) };
      const current = this.pointers.get(change.environment) ?? null;
      const decision = decideSwap(current, change);
      if (decision !== 'put') return { outcome: decision, pointer: current } as PointerSwap;
      const { version, manifestSha256 } = input.bundle;
      if (this.bundles.get(version)?.manifestSha256 !== manifestSha256)
        throw final('IntegrityError', `no bundle ${version}`);
      return { outcome: 'swapped', pointer: this.movePointer(change) };
    },
    liveReplicas: () =>
      Promise.resolve([
        {
          replicaId: 'r1',
          address: 'http://127.0.0.1:1',
          environment: 'production',
          generation: this.replicaGeneration,
        },
        ...this.otherReplicas(),
      ]),
    smoke: ({ replica, bundle, generation }) => {
      if (replica.replicaId !== 'r1') return Promise.resolve({ vectors: 5, largestDifference: 0 });
      if (generation !== this.replicaGeneration)
        return Promise.reject(final('SmokeFailed', `generation ${this.replicaGeneration} answers`));
      if (this.smokeFails(bundle.version)) return Promise.reject(final('SmokeFailed', 'vector 3 differs by 0.2'));
      return Promise.resolve({ vectors: 5, largestDifference: 0 });
    },
    principalNames: () => Promise.resolve(['ada', 'ben', 'grace', 'cleo', 'mallory']),
    authorizeDecision: ({ decision }) =>
      Promise.resolve(
        decision.actor === 'mallory'
          ? refusal('mallory is no approver')
          : { allowed: true, why: 'approver', proven: this.tokens.has(decision.actor) },
      ),
    authorizeOperation: ({ actor }) =>
      Promise.resolve(
        actor === 'mallory'
          ? refusal('mallory is no operator')
          : { allowed: true, why: 'operator', proven: this.tokens.has(actor) },
      ),
    authorizeRequest: ({ caller: { actor }, overrides, overrideReason }) => {
      if (actor === 'mallory') return Promise.resolve(refusal('mallory is no requester'));
      const weakens = overrides.some((one) => one.weakens);
      if (weakens && (!this.tokens.has(actor) || overrideReason === null))
        return Promise.resolve(refusal(`${actor} is no overrider`));
      return Promise.resolve({ allowed: true, why: 'requester', proven: this.tokens.has(actor) });
    },
    writeReport: (report) => {
      this.reports.push(report);
      return Promise.resolve({ directory: 'reports', files: [] });
    },
    lookAtLive: ({ environment }) => {
      const live = this.pointers.get(known(environment));
      if (live === undefined || this.underWay === null) return Promise.resolve(null);
      const inStage = (wanted: string) =>
        [...this.registry].filter(([, { stage }]) => stage === wanted).map(([version]) => version);
      const { generation } = live;
      return Promise.resolve({
        live,
        modelVersion: this.bundles.get(live.version)?.modelVersion ?? '',
        verdict:
          this.verdicts.find((one) => one.environment === environment && one.generation === generation)?.verdict ??
          null,
        champion: this.aliases.get('champion') ?? null,
        challenger: this.aliases.get('challenger') ?? null,
        production: inStage('Production'),
        staging: inStage('Staging'),
        underWay: this.underWay,
      });
    },
    recordVerdict: (record) => {
      const { environment, generation } = record;
      const before = this.verdicts.findIndex((one) => one.environment === environment && one.generation === generation);
      if (before < 0) this.verdicts.push(record);
      else this.verdicts[before] = record;
      return Promise.resolve();
    },
    lastGoodBundle: ({ environment }) => {
      const live = this.pointers.get(known(environment));
      const records = this.verdicts.filter((one) => one.environment === environment);
      const found = live === undefined ? null : lastGood(records, live);
      return Promise.resolve(found === null ? null : { version: found.version, manifestSha256: found.manifestSha256 });
    },
    findBundle: ({ version }) =>
      this.bundles.has(version)
        ? Promise.resolve({ version, manifestSha256: `sha of ${version}` })
        : Promise.reject(final('NotFound', `no bundle ${version}`)),
    notify: (notification) => this.told(notification),
    deliverNotification: async (notification) => {
      await this.beforeDelivery();
      await this.told(notification);
    },
  };
}

function known(environment: string): Pointer['environment'] {
  const found = ENVIRONMENTS.find((name) => name === environment);
  if (found === undefined) throw final('InvalidInput', `/environment is ${environment}`);
  return found;
}
