import { flattenSteps } from '../../workflows/common/progress.js';
import type { RunFrame } from './kind.js';
import type { Output } from '../output.js';
import { indented, queuedLine, retryLine, stepLine } from './text.js';
import type { Queued, Retry } from './watch.js';

/** Shows a run while it is watched. */
export interface RunRenderer {
  show(frame: RunFrame): void;
  retry(retry: Retry): void;
  queued(queued: readonly Queued[]): void;
  /** the last of it */
  end(failed: boolean): Promise<void>;
  /** The process is about to end: others may write at once. */
  abandon(): void;
}

/** A live list in a terminal, a line a change when piped, nothing with `--json`. */
export async function createRenderer(title: string, output: Output): Promise<RunRenderer> {
  if (!output.tty) return lineRenderer(output);
  const { liveRenderer } = await import('./live.js');
  return liveRenderer(title, output);
}

function lineRenderer(output: Output): RunRenderer {
  const seen = new Map<string, string>();
  const isNews = (name: string, state: string): boolean => {
    if (seen.get(name) === state || state === 'pending' || state === 'skipped') return false;
    seen.set(name, state);
    return true;
  };
  let asked = false;
  return {
    show({ steps, items, waits }) {
      for (const { step, path, depth } of flattenSteps(steps))
        // how long a step takes is news when it has ended
        if (isNews(path, step.status))
          output.line(indented(depth, step.status === 'running' ? `▸ ${step.name}` : stepLine(step)));
      for (const { name, state, line } of items) if (isNews(`item ${name}`, state)) output.line(indented(1, line));
      if (waits !== null && !asked) {
        if (waits.proposal !== null) output.line(waits.proposal);
        output.line(waits.what);
      }
      asked = waits !== null;
    },
    retry: (retry) => output.line(retryLine(retry)),
    queued: (queued) => {
      for (const one of queued) if (isNews(`queued ${one.activity}`, one.since)) output.line(queuedLine(one));
    },
    end: () => Promise.resolve(),
    abandon: () => {},
  };
}
