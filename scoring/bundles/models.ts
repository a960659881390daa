import { startModelRunner, type ModelRunnerOptions } from './onnx/model-runner.js';
import type { ThreadData } from './onnx/thread-protocol.js';

export interface ModelOutput {
  /** raw score per row: the positive class's probability before calibration */
  scores: Float32Array;
  /** anomaly score per row; higher is more anomalous */
  anomalies: Float32Array;
}

/** A bundle's two models, whatever runs them. */
export interface Models {
  readonly engine: 'onnxruntime';
  /** whether rows can be scored now */
  readonly healthy: boolean;
  /** rows that wait for their turn */
  readonly queuedRows: number;
  /** @param features row by row, `width` values each */
  run(features: Float32Array): ModelOutput | Promise<ModelOutput>;
  close(): Promise<void>;
}

export type ModelOptions = Omit<ModelRunnerOptions, 'models'>;

/** @throws SluiceError IntegrityError when the models cannot be opened */
export async function openModels(files: ThreadData, options: ModelOptions): Promise<Models> {
  const runner = await startModelRunner({ ...options, models: files });
  return {
    engine: 'onnxruntime',
    get healthy() {
      return runner.healthy;
    },
    get queuedRows() {
      return runner.queuedRows;
    },
    run: (features) => runner.run(features),
    close: () => runner.close(),
  };
}
