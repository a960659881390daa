import type { ApprovalActivities } from '../../activities/approval/contract.js';
import type { BundleActivities, RecomposeActivities } from '../../activities/bundle/contract.js';
import type { ProvenanceActivities, RegistryActivities } from '../../activities/registry/contract.js';
import type { TrainingDataActivities } from '../../activities/training-data/contract.js';
import type {
  DeliveryActivities,
  NotificationTestActivities,
  NotifyActivities,
} from '../../activities/notification/contract.js';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import type {
  LiveStateActivities,
  ReplicaActivities,
  RolloutActivities,
  ScorerActivities,
} from '../../activities/rollout/contract.js';
import type { ReportActivities } from '../../activities/report/contract.js';
import type { ModelSpecActivities } from '../../activities/model-spec/contract.js';
import type {
  ApplySchedulesActivities,
  AwaitRunActivities,
  ScheduleActivities,
  WaitActivities,
} from '../../activities/runs/contract.js';
import type { TrainerActivities } from '../../activities/trainer/contract.js';
import type { DriftActivities, RetrainingActivities } from '../../activities/drift/contract.js';
import type { PinActivities, PruneActivities } from '../../activities/retention/contract.js';
import type { RefreshActivities } from '../../activities/refresh/contract.js';
import type { RecalibrationActivities } from '../../activities/recalibration/contract.js';
import type { LabelActivities } from '../../activities/labels/contract.js';
import type { ExpertFileActivities } from '../../activities/lookups/contract.js';
import type { TransactionActivities } from '../../activities/transactions/contract.js';

/** The activities that workflows call, grouped by what a call costs: one proxy for each group, in `proxies.ts`, which says why. */
export interface ActivityGroups {
  shortCalls: ModelSpecActivities &
    RegistryActivities &
    ProvenanceActivities &
    PointerActivities &
    ScorerActivities &
    ApprovalActivities &
    ReportActivities &
    RolloutActivities &
    NotifyActivities &
    ScheduleActivities &
    RetrainingActivities;
  answered: ExpertFileActivities & LabelActivities & PinActivities & ApplySchedulesActivities & TransactionActivities;
  delivery: DeliveryActivities;
  bulkIo: TrainingDataActivities &
    BundleActivities &
    RecomposeActivities &
    PruneActivities &
    DriftActivities &
    RecalibrationActivities;
  refreshJobs: RefreshActivities;
  training: TrainerActivities;
  waiting: WaitActivities & AwaitRunActivities;
  replica: ReplicaActivities;
  passingNotification: NotifyActivities;
  settling: LiveStateActivities & RegistryActivities;
  smokeChecks: ScorerActivities;
  noRetry: NotificationTestActivities;
}

type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void
  ? All
  : never;

/** Every activity that a workflow calls. */
export type Activities = Intersection<ActivityGroups[keyof ActivityGroups]>;
