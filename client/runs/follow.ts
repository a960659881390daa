import type { WorkflowHandle } from '@temporalio/client';
import type { Cli } from '../cli.js';
import type { Session } from '../session.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import type { RunFrame } from './kind.js';
import { createRenderer } from './render.js';
import { watchRun } from './watch.js';

/** What is shown beside the steps; nothing by default. */
export interface FollowOptions<Progress> {
  /** the list's first line */
  title: string;
  /** what is said at Ctrl-C: that the run goes on, and how to watch it again */
  goesOn: string;
  frame?: (progress: Progress) => Omit<RunFrame, 'steps'>;
}

/** Shows a run until it has ended, and returns its end. Ctrl-C ends the watching and not the run, and says so. */
export async function followRun<Progress extends { steps: readonly StepProgress[] }>(
  cli: Pick<Cli, 'output' | 'interrupted'>,
  session: Pick<Session, 'client'>,
  handle: WorkflowHandle,
  { title, goesOn, frame = () => ({ items: [], waits: null }) }: FollowOptions<Progress>,
): Promise<{ progress: Progress; error: string | null }> {
  const { output, interrupted } = cli;
  const renderer = await createRenderer(title, output);
  const leave = (): void => {
    renderer.abandon();
    output.error(goesOn);
  };
  interrupted.addEventListener('abort', leave, { once: true });
  try {
    const end = await watchRun<Progress>(
      session,
      handle,
      {
        progress: (progress) => renderer.show({ steps: progress.steps, ...frame(progress) }),
        retry: (retry) => renderer.retry(retry),
        queued: (queued) => renderer.queued(queued),
      },
      interrupted,
    );
    await renderer.end(end.error !== null || end.progress.steps.some(({ status }) => status === 'failed'));
    return end;
  } catch (error) {
    if (!interrupted.aborted) await renderer.end(true);
    throw error;
  } finally {
    interrupted.removeEventListener('abort', leave);
  }
}
