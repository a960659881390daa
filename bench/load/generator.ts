import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { projectPath } from '../../platform/project.js';
import type { FromGenerator, LoadOrder, LoadResult, ToGenerator } from './protocol.js';

/** A load generator in a process of its own. */
export interface Generator {
  /** One at a time. */
  run(order: LoadOrder): Promise<LoadResult>;
  /** ends a run that has no length; its result comes from `run` */
  finish(): void;
  stop(): Promise<void>;
}

/** @param core that the generator is pinned to */
export async function startGenerator(core: string): Promise<Generator> {
  const command = ['-c', core, process.execPath, projectPath('dist', 'bench', 'load', 'main.js')];
  const child = spawn('taskset', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const next = async (): Promise<FromGenerator> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      exited.then(([code]) => Promise.reject(new Error(`the load generator ended with ${String(code)}`))),
    ])) as [FromGenerator];
    return message;
  };
  await next();
  const tell = (message: ToGenerator): void => void child.send(message);
  return {
    async run(order) {
      tell({ kind: 'run', order });
      const answer = await next();
      if (answer.kind !== 'done') throw new Error(answer.kind === 'failed' ? answer.message : 'an unexpected answer');
      return answer.result;
    },
    finish: () => tell({ kind: 'stop' }),
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
