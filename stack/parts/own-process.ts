import { projectRoot } from '../../platform/project.js';
import { readLog } from '../supervise/log-file.js';
import type { ProcessSpec } from '../supervise/supervisor.js';
import type { OwnProcess } from '../types.js';
import { answers } from './mlflow.js';
import type { PartContext } from './part.js';

/** A worker or a scorer under the same supervision as the servers. */
export function ownProcessSpec(own: OwnProcess, context: PartContext): ProcessSpec {
  const logFile = `${context.paths.logs}/${own.name}.log`;
  const { ready } = own;
  return {
    name: own.name,
    command: own.command,
    args: own.args,
    env: { ...context.base, ...own.env },
    cwd: projectRoot,
    logFile,
    address: own.address ?? '',
    isReady: async ({ logOffset }) =>
      'url' in ready ? await answers(ready.url, 2_000) : ready.line.test(readLog(logFile, logOffset)),
    readyTimeoutMs: 60_000,
    stopGraceMs: 20_000,
  };
}
