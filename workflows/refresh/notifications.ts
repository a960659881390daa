import { workflowInfo } from '@temporalio/workflow';
import { typedAsOf } from '../../domain/schedules/as-of.js';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { failureKey } from '../common/run.js';
import { refreshWorkflowId, type ArtifactProgress, type RefreshRunInput } from './contract.js';
import { decideCommand } from './details.js';
import type { RefreshRun } from './run.js';

/** Sent once per job and key, whether it ran alone or as part of a night. */
export async function notifyFailedJobs(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, state, error } of run.progress.jobs) {
    if (state !== 'failed') continue;
    const workflowId = refreshWorkflowId(model, key, job);
    const facts = { model, job, day: day(asOf), error, again: runCommand(run.input, job) };
    await run.notifyAsBefore('refreshJobFailed', failureKey(workflowId), facts, workflowId);
  }
}

/** A source that no longer changes gives no new bundle, but somebody must look at it. */
export async function notifyStale(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, lookup, checks } of run.artifacts('unchanged')) {
    const failures = checks.filter(({ passed }) => !passed).map(({ message }) => message);
    if (failures.length === 0) continue;
    const occasion = `${refreshWorkflowId(model, key, job)}/${lookup}/unchanged`;
    await run.notifyAsBefore('lookupUnchanged', occasion, { model, lookup, day: day(asOf), failures });
  }
}

/** The run failed as a whole: somebody must act. */
export function notifyFailedRun(run: RefreshRun, why: string): Promise<void> {
  const { model, asOf } = run.input;
  const facts = { model, day: day(asOf), why, again: runCommand(run.input, run.job) };
  return run.notifyAsBefore('refreshFailed', failureKey(workflowInfo().workflowId), facts);
}

/** What other changes kept from going live. Nothing is broken, but it must be run again. */
export function notifySuperseded(run: RefreshRun, artifacts: readonly ArtifactProgress[], why: string): Promise<void> {
  const { model, asOf } = run.input;
  const lookups = artifacts.map(({ lookup }) => lookup);
  const facts = { model, day: day(asOf), lookups, why, again: runCommand(run.input, run.job) };
  return run.notifyAsBefore('lookupsSuperseded', `${workflowInfo().runId}/superseded/${lookups.join(',')}`, facts);
}

/** Somebody must decide on what is beyond its tolerance. */
export function notifyHeld(run: RefreshRun, held: readonly ArtifactProgress[], deadline: string): Promise<void> {
  return run.notifyAsBefore('lookupsHeld', `${workflowInfo().runId}/held`, {
    ...decidable(run),
    day: day(run.input.asOf),
    lookups: held.map(({ lookup }) => lookup),
    failures: held.map(({ lookup, checks }) => {
      const failures = checks.filter(({ passed }) => !passed).map(({ message }) => message);
      return `${lookup}: ${failures.length === 0 ? 'nothing was checked' : failures.join('; ')}`;
    }),
    deadline,
  });
}

export function remind(run: RefreshRun, hoursLeft: number): Promise<void> {
  const key = `${workflowInfo().runId}/reminder/${Math.ceil(hoursLeft)}`;
  return run.notifyAsBefore('approvalReminder', key, { ...decidable(run), hoursLeft });
}

/** What became of what was held. */
export function notifyDecided(run: RefreshRun, verdict: 'approve' | 'reject', actor: string, reason: string): void {
  const { model, what } = decidable(run);
  run.notify('approvalDecided', 'approval-decided', { model, what, verdict, actor, reason });
}

export function notifyExpired(run: RefreshRun): void {
  const { model, what } = decidable(run);
  run.notify('approvalExpired', 'approval-expired', { model, what });
}

function decidable({ input: { model, key }, job }: RefreshRun) {
  const [approve, reject] = [decideCommand('approve', key, job), decideCommand('reject', key, job)];
  return { model, what: `what the refresh of ${key} holds back`, approve, reject };
}

function runCommand({ model, asOf }: RefreshRunInput, job: RefreshJob | null): string {
  return `sluice refresh run --model ${model} --as-of ${typedAsOf(asOf)}${job === null ? '' : ` --job ${job}`}`;
}

function day(asOf: string): string {
  return asOf.slice(0, 10);
}
