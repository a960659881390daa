import { runTrainer, type RunTrainerDeps } from './run-trainer.js';
import type { ScoreAnswer } from './job.js';

/**
 * Scores rows of features with the models in a directory (pipeline.onnx, if_pipe.onnx, isotonic.json).
 * Python starts with numpy and onnxruntime alone, which takes about half a second.
 */
export function createScoreRows(deps: RunTrainerDeps) {
  return (bundleDir: string, features: readonly (readonly number[])[], signal: AbortSignal): Promise<ScoreAnswer> =>
    runTrainer(deps, { command: 'score', bundle_dir: bundleDir, features }, { signal });
}
