import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ModelFiles } from './tree-ensemble.js';
import type { RefusedImage, TreeImage } from './tree-models.js';

export type ReadImage = (models: ModelFiles) => Promise<TreeImage | RefusedImage>;

const TIMEOUT_MS = 10_000;

/** `readTreeImage` on a thread of its own. A thread that fails, or takes too long, is a refusal: ONNX Runtime serves the bundle then. */
export const readImageOnThread: ReadImage = async (models) => {
  const worker = new Worker(new URL('./image-thread.js', import.meta.url), { workerData: models, name: 'trees' });
  try {
    const [image] = (await once(worker, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) })) as [
      TreeImage | RefusedImage,
    ];
    return image;
  } catch (error) {
    return { refused: `its trees could not be read: ${(error as Error).message}`, dangerous: false };
  } finally {
    await worker.terminate();
  }
};
