import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadModel, modelReader, type Models } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { definitionKey } from './keys.js';
import { keepDefinition, withDefinitions } from './model-definitions.js';

const MODEL = 'ulb_gbdt';
let modelsDir: string;
let models: Models;
let objects: Map<string, Buffer>;
const store = {
  bucket: 'sluice',
  endpoint: 'http://s3',
  get: (key: string) => {
    const bytes = objects.get(key);
    return Promise.resolve(bytes === undefined ? null : { bytes, etag: '' });
  },
  putIfAbsent: (key: string, bytes: Buffer) => {
    if (objects.has(key)) return Promise.resolve('exists' as const);
    objects.set(key, bytes);
    return Promise.resolve('created' as const);
  },
};

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'sluice-definitions-'));
  await cp(projectPath('models'), modelsDir, { recursive: true });
  models = modelReader(modelsDir);
  objects = new Map();
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(modelsDir, MODEL, file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

it('is the folder as it was when it was kept, whatever is edited since, valid or not', async () => {
  const before = await loadModel(modelsDir, MODEL);
  const definition = await keepDefinition(store, MODEL, before);
  await edit('model.yaml', 'metric: auc_roc, min: 0.80', 'metric: auc_roc, min: 0.10');
  await edit('request_schema.json', '"currency"', '"currency_code"');
  await edit('features.yaml', 'features:', 'featuers:');
  const kept = withDefinitions(models, store);
  await expect(kept.load(MODEL)).rejects.toMatchObject({ type: 'InvalidSpec' });
  expect(await kept.load(MODEL, definition)).toEqual(before);
  // Another process, which has read neither.
  expect(await withDefinitions(models, store).load(MODEL, definition)).toEqual(before);
});

it('is kept once for equal folders, and apart from another one', async () => {
  const loaded = await loadModel(modelsDir, MODEL);
  const first = await keepDefinition(store, MODEL, loaded);
  expect(await keepDefinition(store, MODEL, await loadModel(modelsDir, MODEL))).toBe(first);
  await edit('model.yaml', 'owner: fraud-ml', 'owner: risk');
  const second = await keepDefinition(store, MODEL, await loadModel(modelsDir, MODEL));
  expect([...objects.keys()]).toEqual([definitionKey(MODEL, first), definitionKey(MODEL, second)]);
  const kept = withDefinitions(models, store);
  const owners = [first, second, first].map(async (one) => (await kept.load(MODEL, one)).spec.owner);
  expect(await Promise.all(owners)).toEqual(['fraud-ml', 'risk', 'fraud-ml']);
});

it('is not believed where it is not what its digest says, or gone', async () => {
  const definition = await keepDefinition(store, MODEL, await loadModel(modelsDir, MODEL));
  const key = definitionKey(MODEL, definition);
  const text = (objects.get(key) as Buffer).toString('utf8');
  objects.set(key, Buffer.from(text.replace('min: 0.80', 'min: 0.10')));
  await expect(withDefinitions(models, store).load(MODEL, definition)).rejects.toMatchObject({
    type: 'IntegrityError',
    message: expect.stringContaining(`${key} in sluice at http://s3 was changed`) as string,
  });
  objects.clear();
  await expect(withDefinitions(models, store).load(MODEL, definition)).rejects.toThrow('is gone');
});
