import { workflowInfo } from '@temporalio/workflow';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { shortCalls } from '../common/proxies.js';
import { refreshWorkflowId, type ArtifactProgress, type RefreshRunInput } from './contract.js';
import { decideCommand } from './details.js';
import type { RefreshRun } from './run.js';

/** Once per job and key, whether it ran alone or as part of a night. */
export async function alertFailedJobs(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, state, error } of run.progress.jobs) {
    if (state !== 'failed') continue;
    await shortCalls.notify({
      key: `${refreshWorkflowId(model, key, job)}/failed`,
      severity: 'warning',
      title: `${model}: ${job} failed as of ${day(asOf)}`,
      text: `${error ?? 'no reason given'}. What is live stays as it is, and grows older; other jobs are not held up by it.`,
      whatToDo: `Correct the cause, then \`${runCommand(run.input, job)}\`, or leave it to the next night.`,
      workflowId: refreshWorkflowId(model, key, job),
    });
  }
}

/** A source that stands still is no news to the live bundle, but to people it is. */
export async function alertStale(run: RefreshRun): Promise<void> {
  const { model, key, asOf } = run.input;
  for (const { job, lookup, checks } of run.artifacts('unchanged')) {
    const failures = checks.filter(({ passed }) => !passed);
    if (failures.length === 0) continue;
    await shortCalls.notify({
      key: `${refreshWorkflowId(model, key, job)}/${lookup}/unchanged`,
      severity: 'warning',
      title: `${model}: ${lookup} is as it was, and not as it should be, as of ${day(asOf)}`,
      text: failures.map(({ message }) => message).join('; '),
      whatToDo: `Look at the source of ${lookup}. Nothing was published, and nothing waits for a decision.`,
    });
  }
}

/** What could not go live at all; the page for whoever must act. */
export function alertFailedRun(run: RefreshRun, why: string): Promise<void> {
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
export function alertSuperseded(run: RefreshRun, artifacts: readonly ArtifactProgress[], why: string): Promise<void> {
  const { model, asOf } = run.input;
  return shortCalls.notify({
    key: `${workflowInfo().runId}/superseded/${artifacts.map(({ lookup }) => lookup).join(',')}`,
    severity: 'warning',
    title: `${model}: ${artifacts.map(({ lookup }) => lookup).join(', ')} as of ${day(asOf)} not published`,
    text: why,
    whatToDo: `\`${runCommand(run.input, run.job)}\`, or leave it to the next night.`,
    workflowId: workflowInfo().workflowId,
  });
}

export function alertHeld(run: RefreshRun, held: readonly ArtifactProgress[], deadline: string): Promise<void> {
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
    whatToDo: `Decide by ${deadline}: \`${decideCommand('approve', key, run.job)}\`, or reject. Without a decision it is not published.`,
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
