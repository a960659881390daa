import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { flattenSteps } from '../../workflows/common/progress.js';
import type { Output } from '../output.js';
import type { RunFrame } from './kind.js';
import type { RunRenderer } from './render.js';
import { frameText } from './text.js';
import type { Queued, Retry } from './watch.js';

const REDRAW_MS = 200;

/**
 * The run as the one task of a list: its title is the whole frame, so that steps may come, go and have steps of their own. The list folds long lines to
 * the terminal's width, draws again in place and leaves the cursor as it was.
 */
export function liveRenderer(title: string, output: Output, terminal = new ProcessOutput()): RunRenderer {
  let frame: RunFrame = { steps: [], items: [], waits: null };
  let retries: Retry[] = [];
  let waiting: readonly Queued[] = [];
  const text = (): string =>
    [title, frameText(frame, { retries, queued: waiting }, Date.now())].filter((part) => part !== '').join('\n');
  let list = startList(title, text, terminal);
  // a list that ends and another that begins, one after the other
  let turn = Promise.resolve();
  let proposed = false;

  return {
    show(next) {
      if (statesOf(next) !== statesOf(frame)) [retries, waiting] = [[], []];
      frame = next;
      const proposal = next.waits?.proposal ?? null;
      if (proposal === null || proposed) return;
      proposed = true;
      // It may be longer than the terminal is high: it is printed once, and the list goes on below it.
      turn = turn.then(async () => {
        await list.end(false);
        output.line(proposal);
        list = startList(title, text, terminal);
      });
    },
    retry: (retry) => void (retries = [...retries.filter(({ activity }) => activity !== retry.activity), retry]),
    queued: (queued) => void (waiting = queued),
    async end(failed) {
      await turn;
      await list.end(failed);
    },
    abandon() {
      terminal.release();
      void list.end(true);
    },
  };
}

function statesOf({ steps }: RunFrame): string {
  return flattenSteps(steps)
    .map(({ step }) => step.status)
    .join();
}

function startList(title: string, text: () => string, terminal: ProcessOutput) {
  let finish: (failed: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => (finish = resolve));
  const list = new Listr(
    [
      {
        title: text(),
        task: async (_context, task) => {
          const ticking = setInterval(() => (task.title = text()), REDRAW_MS);
          const failed = await ended;
          clearInterval(ticking);
          task.title = text();
          if (failed) throw new Error(title);
        },
      },
    ],
    {
      exitOnError: false,
      // Ctrl-C is the composition root's
      registerSignalListeners: false,
      rendererOptions: {
        showErrorMessage: false,
        logger: new ListrLogger({ processOutput: terminal, useIcons: true, toStderr: [] }),
      },
    },
  );
  const shown = list.run();
  return {
    async end(failed: boolean): Promise<void> {
      finish(failed);
      await shown;
    },
  };
}
