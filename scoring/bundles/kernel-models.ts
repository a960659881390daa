import { setImmediate as nextTurn } from 'node:timers/promises';
import { SluiceError } from '../../platform/errors.js';
import type { TreeModels } from './kernel/tree-models.js';
import { mustBeFinite, type ModelOutput } from './model-output.js';
import type { Models } from './models.js';

/** scored in one go: 2 ms at most, so that a list holds nobody up for long */
const SLICE_ROWS = 256;
/** rows of long lists that may wait before further ones are refused: some 300 ms */
const MAX_QUEUED_ROWS = 50_000;

/** Models that the kernel runs: short lists at once, long ones in slices between which the event loop does other work. */
export function kernelModels(kernel: TreeModels, width: number): Models {
  let queuedRows = 0;

  const inSlices = async (features: Float32Array, output: ModelOutput, rows: number): Promise<ModelOutput> => {
    queuedRows += rows;
    let done = 0;
    try {
      while (done < rows) {
        await nextTurn();
        const count = Math.min(SLICE_ROWS, rows - done);
        const slice = features.subarray(done * width, (done + count) * width);
        kernel.score(slice, count, output.scores.subarray(done), output.anomalies.subarray(done));
        done += count;
        queuedRows -= count;
      }
    } finally {
      queuedRows -= rows - done;
    }
    mustBeFinite(output);
    return output;
  };

  return {
    engine: 'kernel',
    kernelRefusal: null,
    healthy: true,
    get queuedRows() {
      return queuedRows;
    },
    run(features) {
      const rows = features.length / width;
      if (queuedRows > 0 && queuedRows + rows > MAX_QUEUED_ROWS)
        throw new SluiceError('Unreachable', `${queuedRows} rows wait for the models already; try again`);
      const output = { scores: new Float32Array(rows), anomalies: new Float32Array(rows) };
      if (rows > SLICE_ROWS) return inSlices(features, output, rows);
      kernel.score(features, rows, output.scores, output.anomalies);
      mustBeFinite(output);
      return output;
    },
    explain: (features, offset) => kernel.explain(features, offset),
    close: () => Promise.resolve(),
  };
}
