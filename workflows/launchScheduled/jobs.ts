import { type SearchAttributePair, type WorkflowIdReusePolicy } from '@temporalio/common';
import { runKey } from '../../domain/runs/key.js';
import { scheduledAsOf } from '../../domain/schedules/as-of.js';
import { driftWorkflowId, WORKFLOW as DRIFT, type DriftInput } from '../monitorDrift/contract.js';
import { pruneWorkflowId, WORKFLOW as PRUNE, type PruneInput } from '../pruneArtifacts/contract.js';
import {
  thresholdsWorkflowId,
  WORKFLOW as THRESHOLDS,
  type ThresholdsInput,
} from '../recalibrateThresholds/contract.js';
import { JOB_WORKFLOWS, NIGHTLY_WORKFLOW, refreshWorkflowId, type RefreshRunInput } from '../refresh/contract.js';
import { releaseWorkflowId, WORKFLOW as RELEASE, type ReleaseInput } from '../releaseModel/contract.js';
import { SCHEDULER } from '../../domain/approval/caller.js';
import type { LaunchInput, ScheduledJob } from './contract.js';
import { RELEASE_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** The run that a scheduled time stands for. */
export interface CanonicalRun {
  workflowType: string;
  workflowId: string;
  asOf: string;
  input: unknown;
  /** a run that ended well is never repeated; a release's id is used once, however it ended */
  reuse: WorkflowIdReusePolicy;
  searchAttributes: SearchAttributePair[];
}

interface Due {
  model: string;
  schedule: string;
  asOf: string;
  key: string;
}
type Job = (due: Due) => Pick<CanonicalRun, 'workflowType' | 'workflowId' | 'input'> & Partial<CanonicalRun>;

const JOBS: Record<ScheduledJob, { precision: 'day' | 'minute'; run: Job }> = {
  nightlyRefresh: {
    precision: 'day',
    run: ({ model, asOf, key }) => ({
      workflowType: NIGHTLY_WORKFLOW,
      workflowId: refreshWorkflowId(model, key),
      input: { model, asOf, key } satisfies RefreshRunInput,
    }),
  },
  fxRates: {
    // Two fixings may fall on one day, and the night's own run has the day's id.
    precision: 'minute',
    run: ({ model, asOf, key }) => ({
      workflowType: JOB_WORKFLOWS.fxRates,
      workflowId: refreshWorkflowId(model, key, 'fxRates'),
      input: { model, asOf, key } satisfies RefreshRunInput,
    }),
  },
  drift: {
    precision: 'day',
    run: ({ model, asOf, key }) => ({
      workflowType: DRIFT,
      workflowId: driftWorkflowId(model, key),
      input: { model, asOf, key, kind: 'daily' } satisfies DriftInput,
    }),
  },
  driftSnapshot: {
    precision: 'day',
    run: ({ model, asOf, key: day }) => {
      const key = `weekly-${day}`;
      return {
        workflowType: DRIFT,
        workflowId: driftWorkflowId(model, key),
        input: { model, asOf, key, kind: 'weekly' } satisfies DriftInput,
      };
    },
  },
  thresholds: {
    precision: 'day',
    run: ({ model, asOf, key, schedule }) => ({
      workflowType: THRESHOLDS,
      workflowId: thresholdsWorkflowId(model, key),
      input: { model, asOf, key, caller: { actor: SCHEDULER, reason: schedule } } satisfies ThresholdsInput,
    }),
  },
  retraining: {
    precision: 'day',
    run: ({ model, asOf, key, schedule }) => {
      const releaseId = `scheduled-${key}`;
      return {
        workflowType: RELEASE,
        workflowId: releaseWorkflowId(model, releaseId),
        input: { model, releaseId, asOf, caller: { actor: SCHEDULER, reason: schedule } } satisfies ReleaseInput,
        reuse: 'REJECT_DUPLICATE',
        searchAttributes: [{ key: RELEASE_ATTRIBUTE, value: releaseId }],
      };
    },
  },
  prune: {
    precision: 'day',
    run: ({ model, key, schedule }) => ({
      workflowType: PRUNE,
      workflowId: pruneWorkflowId(model, key),
      input: { model, caller: { actor: SCHEDULER, reason: schedule } } satisfies PruneInput,
    }),
  },
};

/**
 * What a schedule's job is at one of its times.
 * @param scheduledAt the nominal time, ISO
 */
export function canonicalRun(input: LaunchInput, scheduledAt: string): CanonicalRun {
  const { precision, run } = JOBS[input.job];
  const asOf = scheduledAsOf(scheduledAt, input.asOfOffsetDays, precision);
  const due: Due = { model: input.model, schedule: input.schedule, asOf, key: runKey(asOf) };
  return { asOf, reuse: 'ALLOW_DUPLICATE_FAILED_ONLY', searchAttributes: [], ...run(due) };
}
