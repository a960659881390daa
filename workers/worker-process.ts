import { loadSettings } from '../platform/config.js';
import { createLog } from '../platform/log.js';
import { projectPath } from '../platform/project.js';
import { openSystem, type System, type SystemPart } from '../platform/system.js';
import { runWorker, type WorkerProcessOptions } from '../platform/temporal-worker.js';
import { temporalConnection } from '../platform/temporal.js';

export interface WorkerProcess<P extends SystemPart> extends Omit<WorkerProcessOptions, 'activities'> {
  name: string;
  /** what it opens, in this order */
  parts: readonly P[];
  activities: (system: System<P>) => object;
}

/**
 * A worker from its start to its end: opens its part of the system, polls its queue until SIGTERM or SIGINT, closes what it opened.
 * @param env the environment, handed in by the composition root
 */
export async function workerProcess<P extends SystemPart>(
  env: NodeJS.ProcessEnv,
  { name, parts, activities, ...options }: WorkerProcess<P>,
): Promise<void> {
  const settings = loadSettings(env);
  const log = createLog(name, settings.LOG_LEVEL);
  const connectTo = temporalConnection(env);
  const modelsDir = env['SLUICE_MODELS_DIR'] || projectPath('models');
  const system = await openSystem({ settings, name, log, connectTo, modelsDir, parts });
  try {
    await runWorker(system, connectTo, { ...options, activities: activities(system) });
  } finally {
    await system.close();
  }
}
