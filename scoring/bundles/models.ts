import type { Logger } from 'pino';
import { SluiceError } from '../../platform/errors.js';
import { findDisagreement } from './kernel/agreement.js';
import { readImageOnThread, type ReadImage } from './kernel/read-image.js';
import type { Explanation } from './kernel/tree-shap.js';
import { openTreeImage, type TreeModels } from './kernel/tree-models.js';
import type { WasmSource } from './kernel/tree-walker.js';
import type { ModelOutput } from './model-output.js';
import { kernelModels } from './kernel-models.js';
import { startModelRunner, type ModelRunner, type ModelRunnerOptions } from './onnx/model-runner.js';
import type { ThreadData } from './onnx/thread-protocol.js';

/** A bundle's two models, whatever runs them. */
export interface Models {
  /** `kernel`: trees in WebAssembly, on this thread; `onnxruntime`: on a thread of its own */
  readonly engine: 'kernel' | 'onnxruntime';
  /** why the kernel does not run them; null when it does */
  readonly kernelRefusal: string | null;
  /** whether rows can be scored now */
  readonly healthy: boolean;
  /** rows that wait for their turn */
  readonly queuedRows: number;
  /**
   * In the same tick where that takes no longer than a few milliseconds.
   * @param features row by row, `width` values each
   * @throws SluiceError Unreachable when too many rows wait; IntegrityError for a figure that is not finite
   */
  run(features: Float32Array): ModelOutput | Promise<ModelOutput>;
  /** What each feature of one row adds to the score's log-odds; null where the models cannot tell. */
  explain(features: Float32Array, offset: number): Explanation | null;
  close(): Promise<void>;
}

export interface ModelOptions extends Omit<ModelRunnerOptions, 'models'> {
  log: Logger;
  /** tests that run from TypeScript: without a thread */
  readImage?: ReadImage;
  /** tests that run from TypeScript: the compiled kernel */
  wasm?: WasmSource | undefined;
}

/**
 * Starts ONNX Runtime, which is the reference, and lets the kernel take its place if it can compute these models and agrees with it.
 * @param golden rows that the bundle brings, row by row
 * @throws SluiceError IntegrityError when the models cannot be opened
 */
export async function openModels(files: ThreadData, golden: Float32Array, options: ModelOptions): Promise<Models> {
  const { readImage = readImageOnThread, wasm, log } = options;
  const start = (inBackground: boolean): Promise<ModelRunner> =>
    startModelRunner({ ...options, models: { ...files, inBackground } });
  const image = await readImage(files);
  if ('refused' in image && image.dangerous === true)
    throw new SluiceError('IntegrityError', `the bundle's models cannot be opened: ${image.refused}`);
  const reference = await start(true);
  try {
    const kernel =
      'refused' in image ? image : await agreeing(openTreeImage(image, wasm), reference, files.width, golden);
    if ('refused' in kernel) {
      log.warn({ why: kernel.refused }, 'the kernel does not run these models; ONNX Runtime does');
      return onnxModels(await start(false), kernel.refused);
    }
    return kernelModels(kernel, files.width);
  } finally {
    await reference.close();
  }
}

async function agreeing(
  kernel: TreeModels,
  runner: ModelRunner,
  width: number,
  golden: Float32Array,
): Promise<TreeModels | { refused: string }> {
  const disagreement = await findDisagreement(kernel, (features) => runner.run(features), { width, golden });
  return disagreement === null ? kernel : { refused: `it does not agree with ONNX Runtime: ${disagreement}` };
}

function onnxModels(runner: ModelRunner, kernelRefusal: string): Models {
  return {
    engine: 'onnxruntime',
    kernelRefusal,
    get healthy() {
      return runner.healthy;
    },
    get queuedRows() {
      return runner.queuedRows;
    },
    run: (features) => runner.run(features),
    explain: () => null,
    close: () => runner.close(),
  };
}
