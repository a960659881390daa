import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModel, modelNames, modelReader } from './models.js';
import { projectPath } from './project.js';

const MODEL = 'ulb_gbdt';
let modelsDir: string;

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  await cp(projectPath('models', MODEL), join(modelsDir, MODEL), { recursive: true });
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

const edit = async (file: string, from: string | RegExp, to: string): Promise<void> => {
  const path = join(modelsDir, MODEL, file);
  const text = await readFile(path, 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
};

describe('loadModel', () => {
  it('reads every part, and gives equal digests for equal folders', async () => {
    const model = await loadModel(projectPath('models'), MODEL);
    expect(model.spec.model).toBe(MODEL);
    expect(Object.keys(model.staticLookups)).toEqual(['operation_type_synonyms']);
    expect(JSON.parse(model.registryBytes.toString())).toEqual(model.registry);
    expect((await loadModel(modelsDir, MODEL)).specSha256).toBe(model.specSha256);
    await edit('rule_params.json', '25000', '26000');
    expect((await loadModel(modelsDir, MODEL)).specSha256).not.toBe(model.specSha256);
  });

  it('reads an unchanged folder once for whoever asks again and again, and a changed one anew', async () => {
    const models = modelReader(modelsDir);
    const first = await models.load(MODEL);
    expect(await models.load(MODEL)).toBe(first);
    await edit('rule_params.json', '25000', '26000');
    const second = await models.load(MODEL);
    expect(second).toEqual(await loadModel(modelsDir, MODEL));
    expect(second.specSha256).not.toBe(first.specSha256);
    await edit('model.yaml', 'window_days: 365', 'window_days: soon');
    await expect(models.load(MODEL)).rejects.toMatchObject({ type: 'InvalidSpec' });
    await expect(models.load('../ulb_gbdt')).rejects.toMatchObject({ type: 'UnknownModel' });
  });

  it.each(['nothing', '../ulb_gbdt', '', 'toString'])('names the known models when asked for %j', async (name) => {
    await expect(loadModel(modelsDir, name)).rejects.toMatchObject({
      type: 'UnknownModel',
      message: expect.stringContaining(`${JSON.stringify(name)} in ${modelsDir}; known: ulb_gbdt`) as string,
    });
  });

  it('refuses two folders with the same name in MLflow, naming both; two that differ stand side by side', async () => {
    await cp(join(modelsDir, MODEL), join(modelsDir, 'second'), { recursive: true });
    for (const file of ['features.yaml']) {
      const path = join(modelsDir, 'second', file);
      await writeFile(path, (await readFile(path, 'utf8')).replaceAll('ulb_gbdt', 'second'));
    }
    const spec = join(modelsDir, 'second', 'model.yaml');
    const text = (await readFile(spec, 'utf8')).replace('model: ulb_gbdt', 'model: second');
    await writeFile(spec, text);
    for (const model of [MODEL, 'second'])
      await expect(loadModel(modelsDir, model)).rejects.toMatchObject({
        type: 'InvalidSpec',
        message: expect.stringMatching(
          /models\/(ulb_gbdt|second)\/model\.yaml and models\/(ulb_gbdt|second)\/model\.yaml both have the registered_name ulb_gbdt/,
        ) as string,
      });
    await writeFile(spec, text.replace('registered_name: ulb_gbdt', 'registered_name: second'));
    for (const model of [MODEL, 'second']) expect((await loadModel(modelsDir, model)).spec.model).toBe(model);
  });

  it('of a lookup with a typo names what is wrong with that kind of lookup, and nothing of the other kinds', async () => {
    await edit('model.yaml', 'min_count', 'min_cuont');
    const refused = await loadModel(modelsDir, MODEL).catch((error: unknown) => error as Error);
    expect((refused as Error).message).toBe(
      "models/ulb_gbdt/model.yaml is not valid: /lookups/merchant_freq_map must have required property 'min_count'; /lookups/merchant_freq_map/min_cuont is not a known key",
    );
  });

  it('says when the folder of models cannot be read', async () => {
    await expect(modelNames(join(modelsDir, 'gone'))).rejects.toMatchObject({
      type: 'UnknownModel',
      message: expect.stringContaining('ENOENT') as string,
    });
  });

  it.each<[string, string, string | RegExp, string, string]>([
    [
      'an unknown key',
      'model.yaml',
      'window_days: 365',
      'window_days: 365\n  windw: 3',
      '/data/windw is not a known key',
    ],
    ['a wrong type', 'model.yaml', 'window_days: 365', 'window_days: soon', '/data/window_days must be integer'],
    [
      'a key twice',
      'model.yaml',
      'owner: fraud-ml',
      'owner: fraud-ml\nowner: other',
      'model.yaml cannot be parsed: Map keys must be unique',
    ],
    ['broken YAML', 'features.yaml', 'derived:', 'derived: [', 'features.yaml cannot be parsed'],
    ['broken JSON', 'rule_params.json', '{', '', 'rule_params.json cannot be parsed'],
    [
      'another name than its folder',
      'model.yaml',
      'model: ulb_gbdt',
      'model: other',
      '/model is other, and the folder is ulb_gbdt',
    ],
    [
      'a file outside the folder',
      'model.yaml',
      'feature_registry: features.yaml',
      'feature_registry: ../x.yaml',
      '../x.yaml must be the name of a file in this folder',
    ],
    [
      'a missing file',
      'model.yaml',
      'rule_params: rule_params.json',
      'rule_params: gone.json',
      'models/ulb_gbdt/gone.json cannot be read: ENOENT',
    ],
    [
      'a request schema that is none',
      'request_schema.json',
      '"object"',
      '"objct"',
      'request_schema.json is not a JSON Schema',
    ],
    [
      'splits that leave nothing',
      'model.yaml',
      'test_fraction: 0.2',
      'test_fraction: 0.9',
      '/data/test_fraction leaves nothing to train on',
    ],
    [
      'a label that the scorer is sent',
      'model.yaml',
      'label: is_fraud',
      'label: amount',
      '/data/fields/label amount is a field of the request',
    ],
    [
      'a check on no field',
      'model.yaml',
      'ranges: { amount:',
      'ranges: { amuont:',
      '/data/checks/ranges/amuont is not a field of the request',
    ],
    [
      'an op on no field',
      'features.yaml',
      'op: { kind: log1p, input: amount_base }',
      'op: { kind: log1p, input: amunt }',
      '/feature_registry/features/1/op/input amunt is neither a field of the request nor derived before amount_log',
    ],
    ['an op of an unknown kind', 'features.yaml', 'kind: log1p', 'kind: log2p', '/features/1/op'],
    [
      'an op on the wrong lookup',
      'features.yaml',
      'lookup: category_stats',
      'lookup: fx_rates',
      'fx_rates is built as fixings, robust_z reads robust_stats',
    ],
    [
      'an op on no lookup',
      'features.yaml',
      'lookup: merchant_freq_map',
      'lookup: toString',
      "toString is not among the spec's lookups",
    ],
    [
      'a windowed feature',
      'features.yaml',
      'window: null',
      'window: 24h',
      '/feature_registry/features/0/window windowed features are not supported yet',
    ],
    [
      'a source that is no field',
      'features.yaml',
      'sources: [amount, currency, booked_at]',
      'sources: [amnt]',
      '/feature_registry/features/0/sources/0 amnt is not a field of the request',
    ],
    [
      'a rule on no feature',
      'rule_params.json',
      '"amount_base"',
      '"amount"',
      '/rule_params/rules/0/feature amount is not a feature',
    ],
    [
      'a rule without a bound',
      'rule_params.json',
      '"above": 25000,',
      '',
      '/rule_params/rules/0 has neither above nor below',
    ],
    [
      'a segment that is no text',
      'model.yaml',
      'segment: operation_type_canonical',
      'segment: amount_base',
      '/segment amount_base is not a derived text',
    ],
    [
      'a lookup by no derived text',
      'model.yaml',
      'key: merchant_normalised',
      'key: amount_base',
      '/lookups/merchant_freq_map/key amount_base is not a derived text',
    ],
    [
      'a lookup that no bundle holds',
      'model.yaml',
      '  - fx_rates.json\n',
      '',
      '/lookups/fx_rates/file fx_rates.json is not among bundle_files',
    ],
    [
      'a pressure that nobody knows',
      'model.yaml',
      'pressures: [alert_rate,',
      'pressures: [alert_rat,',
      '/drift/retraining/pressures/0 must be equal to one of',
    ],
    [
      'a factor under 1',
      'model.yaml',
      'max_alert_rate_ratio: 1.5',
      'max_alert_rate_ratio: 0.9',
      '/drift/retraining/max_alert_rate_ratio must be >= 1',
    ],
    [
      'more days than it looks at',
      'model.yaml',
      '    days: 3\n',
      '    days: 6\n',
      '/drift/retraining/days is 6, more than the 5 days of /drift/retraining/of',
    ],
    [
      'a gate on a metric that nobody measures',
      'model.yaml',
      'metric: auc_roc, min',
      'metric: auc_rok, min',
      '/gates/0/metric auc_rok is not measured; known: test_rows, test_positives, auc_roc, auc_pr,',
    ],
    [
      'a comparison at a budget that the spec does not have',
      'model.yaml',
      'metric: precision_at_1pct',
      'metric: precision_at_2pct',
      '/champion_comparison/1/metric precision_at_2pct is not measured',
    ],
    [
      'a gate without a bound',
      'model.yaml',
      '{ metric: recall, min: 0.60 }',
      '{ metric: recall }',
      '/gates/2 has neither',
    ],
  ])('refuses %s with its path', async (_, file, from, to, message) => {
    await edit(file, from, to);
    const failure = await loadModel(modelsDir, MODEL).catch(
      (error: unknown) => error as { type: string; message: string },
    );
    expect(failure).toMatchObject({ type: 'InvalidSpec', message: expect.stringContaining(message) as string });
  });
});
