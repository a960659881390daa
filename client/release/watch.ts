import { Listr, type ListrTask } from 'listr2';
import type { WorkflowHandle } from '@temporalio/client';
import { STEPS, type ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import type { Output } from '../output.js';
import { retryLine, stepLine } from './view.js';
import type { Session } from '../session.js';
import { watchRun, type Retry } from './release.js';

/** Shows a release's steps as they happen: a live list in a terminal, one plain line a change when piped, nothing with `--json`. */
export async function showWatch(
  session: Session,
  handle: WorkflowHandle,
  releaseId: string,
  output: Output,
): Promise<{ progress: ReleaseProgress; error: string | null }> {
  if (output.tty) return await watchInTerminal(session, handle);
  const seen = new Map<string, string>();
  let asked = false;
  const onProgress = (progress: ReleaseProgress): void => {
    for (const step of progress.steps) {
      if (step.status === 'pending' || seen.get(step.name) === step.status) continue;
      seen.set(step.name, step.status);
      // how long a step takes is news when it has ended
      if (step.status === 'running') output.line(`▸ ${step.name}`);
      else if (step.status !== 'skipped') output.line(stepLine(step));
    }
    if (progress.approval !== null && !asked) {
      asked = true;
      output.line(
        `waits for a decision until ${progress.approval.deadline}: sluice release approve ${releaseId} --reason WHY   (or reject)`,
      );
    }
  };
  return await watchRun<ReleaseProgress>(session, handle, {
    progress: onProgress,
    retry: (retry) => output.line(retryLine(retry)),
  });
}

async function watchInTerminal(
  session: Session,
  handle: WorkflowHandle,
): Promise<{ progress: ReleaseProgress; error: string | null }> {
  // A release that has ended already is told of before the list has begun to wait.
  const ended = new Map<string, StepProgress>();
  const waiters = new Map<string, (step: StepProgress) => void>();
  const titles = new Map<string, (title: string) => void>();
  const tasks: ListrTask[] = STEPS.map((name) => ({
    title: name,
    task: async (_context, task) => {
      titles.set(name, (title) => (task.title = title));
      const end = ended.get(name) ?? (await new Promise<StepProgress>((resolve) => waiters.set(name, resolve)));
      task.title = stepLine(end).slice(2);
      if (end.status === 'failed') throw new Error(task.title);
      if (end.status === 'skipped') task.skip(`${name}: not reached`);
    },
  }));
  const list = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    // Ctrl-C is the composition root's: the stack stops in order first
    registerSignalListeners: false,
  });
  const shown = list.run();
  let running: StepProgress | null = null;
  const onProgress = (progress: ReleaseProgress): void => {
    running = progress.steps.find(({ status }) => status === 'running') ?? null;
    for (const step of progress.steps) {
      if (step.status === 'running')
        titles.get(step.name)?.(
          stepLine(step).slice(2) +
            (progress.approval === null ? '' : ` waits for a decision until ${progress.approval.deadline}`),
        );
      if (step.status === 'done' || step.status === 'failed' || step.status === 'skipped') {
        ended.set(step.name, step);
        waiters.get(step.name)?.(step);
      }
    }
  };
  const onRetry = (retry: Retry): void => {
    if (running !== null) titles.get(running.name)?.(`${running.name}  ${retryLine(retry)}`);
  };
  const end = await watchRun<ReleaseProgress>(session, handle, { progress: onProgress, retry: onRetry });
  // A run that was terminated leaves steps without an end.
  for (const step of end.progress.steps)
    waiters.get(step.name)?.({ ...step, status: ended.has(step.name) ? step.status : 'skipped' });
  await shown;
  return end;
}
