import type { FromGenerator, LoadOrder, ToGenerator } from './protocol.js';
import { startLoad } from './run.js';

// The load generator, a process of its own so that it has a core of its own: `generator.ts` starts it and speaks to it.

const tell = (message: FromGenerator): void => void process.send?.(message);
let stop: (() => void) | null = null;

process.on('message', (message: ToGenerator) => {
  if (message.kind === 'stop') stop?.();
  else void run(message.order);
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'started' });

async function run(order: LoadOrder): Promise<void> {
  const load = startLoad(order);
  stop = load.stop;
  try {
    tell({ kind: 'done', result: await load.done });
  } catch (error) {
    tell({ kind: 'failed', message: (error as Error).message });
  }
}
