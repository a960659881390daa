import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../../platform/project.js';
import { kernelWasm } from '../../../test/support/kernel-wasm.js';
import { above } from './floats.js';
import { findDisagreement, type ReferenceRun } from './agreement.js';
import { openTreeModels, type TreeModels } from './tree-models.js';
import { MODE } from './trees.js';

const width = 6;
const golden = Float32Array.from([4, 1, 0.001, 12, 3, 1, 8, -2, 0.02, 1, 0, 2]);
const file = (name: string) => readFileSync(projectPath('test', 'fixtures', 'tiny-models', `${name}.onnx`));

function opened(pipeline: Uint8Array = file('a')): TreeModels {
  const models = openTreeModels({ pipeline, anomaly: file('anomaly'), width }, kernelWasm());
  if ('refused' in models) throw new Error(models.refused);
  return models;
}

/** A reference that is the kernel itself, with what a test does to it, and the rows that it was asked for. */
function reference(models: TreeModels, change: (scores: Float32Array, anomalies: Float32Array) => void = () => {}) {
  const asked: number[][] = [];
  const run: ReferenceRun = (features) => {
    const rows = features.length / width;
    for (let row = 0; row < rows; row += 1) asked.push([...features.subarray(row * width, (row + 1) * width)]);
    const [scores, anomalies] = [new Float32Array(rows), new Float32Array(rows)];
    models.score(features, rows, scores, anomalies);
    change(scores, anomalies);
    return Promise.resolve({ scores, anomalies });
  };
  return { run, asked };
}

describe('agreement at load', () => {
  it('asks for the golden rows, and for at least 2,000 more, the same ones every time', async () => {
    const models = opened();
    const [one, other] = [reference(models), reference(models)];
    expect(await findDisagreement(models, one.run, { width, golden })).toBeNull();
    expect(await findDisagreement(models, other.run, { width, golden })).toBeNull();
    expect(one.asked.slice(0, 2).flat()).toEqual([...golden]);
    expect(one.asked.length).toBeGreaterThanOrEqual(2_002);
    expect(other.asked).toEqual(one.asked);
    const third = reference(models);
    await findDisagreement(models, third.run, { width, golden, seed: 2 });
    expect(third.asked).not.toEqual(one.asked);
  });

  it('says which row differs in what, and by which values', async () => {
    const models = opened();
    const far = reference(models, (scores) => (scores[1] = 0.75));
    expect(await findDisagreement(models, far.run, { width, golden })).toMatch(
      /^row 1 \(8, -2, .*\): the kernel gives score 0\.\d+, ONNX Runtime 0\.75$/,
    );
    const missing = reference(models, (_, anomalies) => (anomalies[0] = NaN));
    expect(await findDisagreement(models, missing.run, { width, golden })).toMatch(/gives anomaly score .* NaN$/);
  });

  it('finds a threshold that is one float32 off, in any tree', async () => {
    const models = opened();
    let tried = 0;
    let found = 0;
    for (const { thresholds, modes } of models.trees.slice(0, 12)) {
      const node = modes.findIndex((mode, at) => mode === MODE.LEQ && at > 2);
      const wrong = opened(withThreshold(thresholds[node] as number, above(thresholds[node] as number)));
      tried += 1;
      if ((await findDisagreement(models, reference(wrong).run, { width, golden })) !== null) found += 1;
    }
    expect([tried, found]).toEqual([12, 12]);
  });
});

/** The file with the first threshold of this value changed. */
function withThreshold(from: number, to: number): Uint8Array {
  const changed = Buffer.from(file('a'));
  const bytes = (value: number) => Buffer.from(Float32Array.of(value).buffer);
  const at = changed.indexOf(bytes(from), changed.lastIndexOf('nodes_values'));
  changed.set(bytes(to), at);
  return changed;
}
