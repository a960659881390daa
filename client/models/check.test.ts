import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { checkModels, modelText } from './check.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  await cp(projectPath('models', 'ulb_gbdt'), join(folder, 'ulb_gbdt'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(folder, 'ulb_gbdt', file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

it('says of a good folder what it is', async () => {
  const [check] = await checkModels(folder, []);
  expect(check).toMatchObject({ model: 'ulb_gbdt', valid: true, registeredName: 'ulb_gbdt' });
  expect(modelText(check as never)).toMatch(
    /^✔ ulb_gbdt: valid; \d+ features, 6 gates, policy auto, in MLflow ulb_gbdt$/,
  );
});

it('has every offence of a file with its path, in JSON and in a line of its own', async () => {
  await edit('model.yaml', 'window_days: 365', 'window_days: soon');
  await edit('model.yaml', 'min_rows: 20000', 'min_rosw: 20000');
  const [check] = await checkModels(folder, ['ulb_gbdt']);
  expect(check).toMatchObject({
    valid: false,
    violations: expect.arrayContaining([
      expect.objectContaining({ path: '/data/window_days' }),
      expect.objectContaining({ path: '/data/checks/min_rosw' }),
    ]) as unknown,
  });
  const lines = modelText(check as never).split('\n');
  expect(lines[0]).toBe('✖ ulb_gbdt: models/ulb_gbdt/model.yaml is not valid');
  expect(lines).toContain('  /data/window_days must be integer');
});

it.each([
  ['a file that cannot be parsed', 'request_schema.json', '{', '', /request_schema\.json cannot be parsed/],
  [
    'training code that there is not',
    'model.yaml',
    'module: sluice_trainer',
    'module: my_trainer',
    /\/trainer\/module/,
  ],
  ['a gate of a metric that nothing measures', 'model.yaml', 'metric: auc_roc', 'metric: auc_rok', /auc_rok is not/],
])('names %s', async (_, file, from, to, says) => {
  await edit(file, from, to);
  const [check] = await checkModels(folder, []);
  expect(modelText(check as never)).toMatch(says);
});

it('checks every folder, and finds two of one name in MLflow', async () => {
  await cp(join(folder, 'ulb_gbdt'), join(folder, 'second'), { recursive: true });
  expect((await checkModels(folder, [])).map(({ model, valid }) => [model, valid])).toEqual([
    ['second', false],
    ['ulb_gbdt', false],
  ]);
});

it('knows a missing folder from a wrong one', async () => {
  await expect(checkModels(folder, ['nope'])).rejects.toMatchObject({ type: 'UnknownModel' });
  await rm(join(folder, 'ulb_gbdt'), { recursive: true });
  await expect(checkModels(folder, [])).rejects.toMatchObject({ type: 'UnknownModel' });
});
