import { workflowInfo } from '@temporalio/workflow';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { shortCalls } from '../common/proxies.js';
import { refreshWorkflowId, type ArtifactProgress, type RefreshRunInput } from './contract.js';
import { decideCommand } from './details.js';
import type { RefreshRun } from './run.js';

/** Sent once per job and key, whether it ran alone or as part of a night. */
export async function notifyFailedJobs(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, state, error } of run.progress.jobs) {
    if (state !== 'failed') continue;
    await shortCalls.notify({
      key: `${refreshWorkflowId(model, key, job)}/failed`,
      severity: 'warning',
      title: `${model}: ${job} failed as of ${day(asOf)}`,
      text: `${error ?? 'no reason given'}. The live artifact stays in use and becomes stale. Other jobs are unaffected.`,
      whatToDo: `Correct the cause, then \`${runCommand(run.input, job)}\`, or wait for the next night.`,
      workflowId: refreshWorkflowId(model, key, job),
    });
  }
}

/** A source that no longer changes gives no new bundle, but somebody must look at it. */
export async function notifyStale(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, lookup, checks } of run.artifacts('unchanged')) {
    const failures = checks.filter(({ passed }) => !passed);
    if (failures.length === 0) continue;
    await shortCalls.notify({
      key: `${refreshWorkflowId(model, key, job)}/${lookup}/unchanged`,
      severity: 'warning',
      title: `${model}: ${lookup} is unchanged and fails its checks as of ${day(asOf)}`,
      text: failures.map(({ message }) => message).join('; '),
      whatToDo: `Check the source of ${lookup}. Nothing was published, and no decision is needed.`,
    });
  }
}

/** The run failed as a whole: somebody must act. */
export function notifyFailedRun(run: RefreshRun, why: string): Promise<void> {
  const { model, asOf } = run.input;
  return shortCalls.notify({
    key: `${workflowInfo().workflowId}/failed`,
    severity: 'critical',
    title: `${model}: the refresh as of ${day(asOf)} failed`,
    text: why,
    whatToDo: `Correct the cause, then \`${runCommand(run.input, run.job)}\`.`,
  });
}

/** What other changes kept from going live. Nothing is broken, but it must be run again. */
export function notifySuperseded(run: RefreshRun, artifacts: readonly ArtifactProgress[], why: string): Promise<void> {
  const { model, asOf } = run.input;
  return shortCalls.notify({
    key: `${workflowInfo().runId}/superseded/${artifacts.map(({ lookup }) => lookup).join(',')}`,
    severity: 'warning',
    title: `${model}: ${artifacts.map(({ lookup }) => lookup).join(', ')} as of ${day(asOf)} not published`,
    text: why,
    whatToDo: `\`${runCommand(run.input, run.job)}\`, or wait for the next night.`,
    workflowId: workflowInfo().workflowId,
  });
}

/** Somebody must decide on what is beyond its tolerance. */
export function notifyHeld(run: RefreshRun, held: readonly ArtifactProgress[], deadline: string): Promise<void> {
  const { model, key, asOf } = run.input;
  return shortCalls.notify({
    key: `${workflowInfo().runId}/held`,
    severity: 'warning',
    title: `${model}: ${held.map(({ lookup }) => lookup).join(', ')} held as of ${day(asOf)}`,
    text: held
      .flatMap(({ lookup, checks }) => {
        const failures = checks.filter(({ passed }) => !passed).map(({ message }) => message);
        return `${lookup}: ${failures.length === 0 ? 'nothing was checked' : failures.join('; ')}`;
      })
      .join('. '),
    whatToDo: `Decide by ${deadline}: \`${decideCommand('approve', key, run.job)}\`, or reject. Without a decision they are not published.`,
  });
}

export function remind(run: RefreshRun, hoursLeft: number): Promise<void> {
  const { model, key } = run.input;
  return shortCalls.notify({
    key: `${workflowInfo().runId}/reminder/${Math.ceil(hoursLeft)}`,
    severity: 'warning',
    title: `${model}: held artifacts of ${key} wait for a decision`,
    text: `${hoursLeft.toFixed(1)} hours are left.`,
    whatToDo: `\`${decideCommand('approve', key, run.job)}\`, or reject`,
  });
}

function runCommand({ model, asOf }: RefreshRunInput, job: RefreshJob | null): string {
  return `sluice refresh run --model ${model} --as-of ${asOf}${job === null ? '' : ` --job ${job}`}`;
}

function day(asOf: string): string {
  return asOf.slice(0, 10);
}
