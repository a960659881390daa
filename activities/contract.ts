import type { PointerChange } from '../domain/pointer/pointer.js';
import type {
  BundleRef,
  CheckResult,
  EvaluationResult,
  Metrics,
  ModelSpec,
  Pointer,
  PointerSwap,
  Receipt,
  ReplicaInfo,
  SnapshotRef,
  TrainingResult,
} from '../domain/release/types.js';
import type { Decision } from '../schemas/types.js';

/**
 * What workflows may call, by the system it speaks to. Workflows import these types and nothing else of `activities/`;
 * each `createXActivities(deps)` implements one interface. Inputs and outputs cross a boundary: plain JSON, ISO times, no secrets.
 * Every activity may run twice and must then have the effect of once.
 */
export interface SpecActivities {
  /** Reads and checks `models/{model}/`; fails with UnknownModel or InvalidSpec. */
  loadModelSpec(input: { model: string }): Promise<{ spec: ModelSpec; gitSha: string; specSha256: string }>;
}

/** queue `data` */
export interface MongoActivities {
  /** Writes the immutable training snapshot; the same data and spec give the same id, and an existing one is returned as it is. */
  snapshot(input: { model: string; releaseId: string; asOf: string }): Promise<SnapshotRef>;
  /** The declared data checks over the snapshot's profile. Does not throw on a failed check: the table is the answer. */
  validateData(input: { model: string; snapshot: SnapshotRef }): Promise<{ passed: boolean; checks: CheckResult[] }>;
  /** The held-out raw rows through another bundle's features and lookups, as Parquet, so that it can be compared on the same rows. */
  championFeatures(input: {
    model: string;
    snapshot: SnapshotRef;
    bundle: { version: string; manifestSha256: string };
    releaseId: string;
  }): Promise<{ parquetKey: string }>;
}

/** queue `training`: Python as a child process, heartbeats carry `{stage, fraction}` */
export interface TrainerActivities {
  train(input: {
    model: string;
    releaseId: string;
    snapshot: SnapshotRef;
    gitSha: string;
    overrides?: TrainerOverrides;
  }): Promise<TrainingResult>;
  evaluate(input: {
    model: string;
    releaseId: string;
    snapshot: SnapshotRef;
    runId: string;
    /** a bundle whose model, features and thresholds are compared; null when nothing is live */
    champion: { version: string; manifestSha256: string; parquetKey: string } | null;
    /** for a re-based bundle: held-out features computed with that bundle's lookups, instead of the snapshot's own */
    candidateParquetKey?: string;
  }): Promise<EvaluationResult>;
}
export interface TrainerOverrides {
  seed?: number;
  params?: Record<string, number | string | boolean>;
}

/** queue `release` */
export interface MlflowActivities {
  /** One registry version per run, whatever is killed in between; alias `challenger`, stage Staging. */
  register(input: {
    model: string;
    runId: string;
    releaseId: string;
    dataSnapshotId: string;
    gitSha: string;
    metrics: Metrics;
  }): Promise<{ modelVersion: string }>;
  setStage(input: {
    model: string;
    modelVersion: string;
    stage: 'None' | 'Staging' | 'Production' | 'Archived';
  }): Promise<void>;
  setAlias(input: { model: string; alias: string; modelVersion: string | null }): Promise<void>;
  tagModelVersion(input: { model: string; modelVersion: string; tags: Record<string, string> }): Promise<void>;
  /** Who is who now, so that an undo can restore it. */
  registryState(input: {
    model: string;
  }): Promise<{ champion: string | null; challenger: string | null; production: string[] }>;
}

/** queue `data` */
export interface BundleActivities {
  /**
   * Builds, signs and publishes a bundle from an MLflow run and, file by file, the newer of the snapshot's and the live bundle's lookups;
   * objects are written once, the manifest last, then everything is read back and verified.
   */
  composeBundle(input: {
    model: string;
    releaseId: string;
    runId: string;
    modelVersion: string;
    snapshot: SnapshotRef;
    /** digests as training reported them: what MLflow hands out must still be that */
    artifacts: TrainingResult['artifacts'];
    trainedAt: string;
    gitSha: string;
    metrics: Metrics;
    /** the live bundle this one replaces; null for the first */
    base: { version: string; manifestSha256: string } | null;
    /** goes into the version's name; from the workflow's clock, so that a retry writes the same */
    createdAt: string;
  }): Promise<BundleRef & { rebasedLookups: string[] }>;
  /** Reads every file back and checks signature, digests, schemas and completeness; fails with IntegrityError. */
  verifyBundle(input: { model: string; version: string; manifestSha256: string }): Promise<BundleRef>;
}

/** queue `release` */
export interface PointerActivities {
  readPointer(input: { model: string; environment: string }): Promise<Pointer | null>;
  /** Conditional put to `expectedGeneration + 1` plus its audit entry, once per `putId`. `expectedGeneration` 0 means: no pointer yet. */
  swapPointer(input: Omit<PointerChange, 'environment'> & { environment: string }): Promise<PointerSwap>;
}

/** queue `release`: what one replica at a time is told goes through `ReplicaActivities` on its own queue */
export interface ScorerActivities {
  /** Replicas of the environment whose lease is alive. */
  liveReplicas(input: { model: string; environment: string }): Promise<ReplicaInfo[]>;
  /** `/v1/health`, `/v1/metadata` and `/v1/score` on the golden vectors over HTTP, as a user would; scores equal within 1e-5. */
  smoke(input: {
    model: string;
    replica: ReplicaInfo;
    bundle: { version: string; manifestSha256: string };
    generation: number;
  }): Promise<{ vectors: number; largestDifference: number }>;
}

/** queue `scoring-{replicaId}`, inside the scorer's process */
export interface ReplicaActivities {
  /**
   * Follows the pointer and answers once exactly this generation is live here; asked again, it answers the same. Superseded when the replica
   * serves a newer one: it never goes back. ReloadFailed while the pointer does not name it yet.
   */
  reload(input: {
    model: string;
    environment: string;
    version: string;
    manifestSha256: string;
    generation: number;
  }): Promise<Receipt>;
}

/** queue `release` */
export interface ApprovalActivities {
  /** Whether this actor may decide this; every refusal and every decision goes to the audit log. */
  authorizeDecision(input: {
    model: string;
    workflowId: string;
    decision: Decision;
    requester: string;
    requesterMayApprove: boolean;
  }): Promise<{ allowed: boolean; why: string }>;
  /** Whether the actor may operate (roll back); refusals go to the audit log. */
  authorizeOperation(input: {
    model: string;
    workflowId: string;
    operationId: string;
    operation: string;
    actor: string;
    reason: string;
    proof?: string;
  }): Promise<{ allowed: boolean; why: string }>;
}

/** queue `release` */
export interface ReportActivities {
  /** Adds this release's row to PROGRESS.md and fraud_model_progress.md (once per release) and writes the JSON reports. */
  writeReport(input: ReleaseReport): Promise<{ directory: string; files: string[] }>;
}
export interface ReleaseReport {
  model: string;
  releaseId: string;
  status: string;
  runId: string | null;
  modelVersion: string | null;
  bundleVersion: string | null;
  generation: number | null;
  stage: string | null;
  metrics: Metrics;
  gates: CheckResult[];
  dataSnapshotId: string | null;
  snapshotPrefix: string | null;
  actor: string;
  reason: string;
  finishedAt: string;
}

/** queue `release` */
export interface NotifyActivities {
  notify(input: {
    key: string;
    severity: 'info' | 'warning' | 'critical';
    title: string;
    text: string;
    /** the next step, for whoever reads it */
    whatToDo?: string;
    /** the run that it is about, where that is not the one that calls */
    workflowId?: string;
    /** instead of the run's page in the Temporal UI */
    link?: string;
  }): Promise<void>;
}

/** queue `release` */
export interface TemporalActivities {
  /** Returns when the workflow has closed (or never was); heartbeats while it waits. */
  waitForWorkflow(input: { workflowId: string }): Promise<void>;
}

/** queue `release`: which bundles proved themselves live, so that a rollback knows the last good one */
export interface RolloutActivities {
  /** Once per generation. */
  recordVerdict(input: {
    model: string;
    environment: string;
    version: string;
    manifestSha256: string;
    generation: number;
    verdict: string;
    why: string;
    at: string;
  }): Promise<void>;
  /** The newest bundle that was live and smoked before the live one first was; null when there is none. */
  lastGoodBundle(input: {
    model: string;
    environment: string;
  }): Promise<{ version: string; manifestSha256: string } | null>;
  /** A bundle by its version's name, or NotFound with the versions that exist. */
  findBundle(input: { model: string; version: string }): Promise<{ version: string; manifestSha256: string }>;
}
