import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../../platform/project.js';
import { kernelWasm } from '../../../test/support/kernel-wasm.js';
import { findDisagreement, type ReferenceRun } from './agreement.js';
import { openTreeModels, type TreeModels } from './tree-models.js';

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

  it('finds a comparison that is wrong at its threshold only, in any tree', async () => {
    const bytes = file('a');
    const models = opened();
    const mode = Buffer.from('BRANCH_LEQ');
    let found = 0;
    let tried = 0;
    // `<` where it should be `<=`: the two differ in one float32 of the range
    for (let at = bytes.indexOf(mode); at !== -1; at = bytes.indexOf(mode, at + 1)) {
      tried += 1;
      if (tried % 7 !== 0) continue;
      const wrong = opened(withMode(bytes, at));
      if ((await findDisagreement(models, reference(wrong).run, { width, golden })) !== null) found += 1;
    }
    expect(tried).toBe(84);
    expect(found).toBe(12);
  });
});

/** The file with one node's mode changed from BRANCH_LEQ to BRANCH_GTE: as many letters, so that no length changes. */
function withMode(bytes: Buffer, at: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed.write('BRANCH_GTE', at);
  return changed;
}
