import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { readableJson, sha256Hex } from '../domain/bundle/digest.js';
import { checkModel } from '../domain/features/check-model.js';
import type { FeatureRegistry, ModelSpec, RuleParams } from '../schemas/types.js';
import { SluiceError } from './errors.js';
import { MODEL_NAME } from './model-folders.js';
import { createAjv, violations, type SchemaName, type SchemaTypes, type Violation } from './validate.js';

const SPEC_FILE = 'model.yaml';

/** A document of the model's folder and the bytes in which it goes into a bundle. */
export interface ModelFile<T> {
  document: T;
  bytes: Buffer;
}

/** Everything that `models/{model}/` says, checked part by part and against each other. */
export interface LoadedModel {
  spec: ModelSpec;
  /** of the spec and of every file it names: equal digests, equal model folders */
  specSha256: string;
  registry: FeatureRegistry;
  /** `feature_registry.json`, as a bundle holds it */
  registryBytes: Buffer;
  registrySha256: string;
  /** a JSON Schema 2020-12 of one transaction */
  requestSchema: Record<string, unknown>;
  requestSchemaBytes: Buffer;
  rules: RuleParams;
  rulesBytes: Buffer;
  /** lookup name → the lookup, for those that are files of the model's folder */
  staticLookups: Readonly<Record<string, ModelFile<unknown>>>;
  /** name → text of every file that was read: `modelOfFiles` makes the same of them */
  files: Readonly<Record<string, string>>;
}

/** The models' folder, as a process reads it. */
export interface Models {
  /** @throws SluiceError as `loadModel` does */
  load(model: string): Promise<LoadedModel>;
  /** The models that exist, by name. */
  names(): Promise<string[]>;
}

/**
 * Reads and checks a model's folder.
 * @param modelsDir absolute path of the folder that holds one folder per model
 * @throws SluiceError UnknownModel, naming the known ones; InvalidSpec, naming every offending path
 */
export async function loadModel(modelsDir: string, model: string): Promise<LoadedModel> {
  const known = await modelNames(modelsDir);
  if (!MODEL_NAME.test(model) || !known.includes(model)) {
    const list = known.length === 0 ? 'none' : known.join(', ');
    throw new SluiceError('UnknownModel', `there is no model ${JSON.stringify(model)} in ${modelsDir}; known: ${list}`);
  }
  const folder = join(modelsDir, model);
  const loaded = await modelOf(model, (file) => readText(folder, model, file));
  const { registered_name } = loaded.spec;
  const twin = await otherOfName(modelsDir, known, { model, registered_name });
  if (twin !== null)
    throw new SluiceError(
      'InvalidSpec',
      `models/${model}/${SPEC_FILE} and models/${twin}/${SPEC_FILE} both have the registered_name ${registered_name}: in MLflow they would be versions of one model. Give one of them another name.`,
    );
  return loaded;
}

/**
 * A model from the files that were kept of its folder, checked as the folder is.
 * @param files name → text: `LoadedModel.files`
 * @throws SluiceError InvalidSpec
 */
export function modelOfFiles(model: string, files: Readonly<Record<string, string>>): Promise<LoadedModel> {
  return modelOf(model, (file) => {
    const text = Object.hasOwn(files, file) ? files[file] : undefined;
    if (text !== undefined) return Promise.resolve(text);
    return Promise.reject(new SluiceError('InvalidSpec', `models/${model}/${file} was not kept`));
  });
}

async function modelOf(model: string, textOf: (file: string) => Promise<string>): Promise<LoadedModel> {
  const files: Record<string, string> = {};
  const read = async (file: string): Promise<unknown> => parseFile(model, file, (files[file] = await textOf(file)));

  const spec = valid('model-spec', await read(SPEC_FILE), `${model}/${SPEC_FILE}`);
  const registry = valid('feature-registry', await read(spec.feature_registry), `${model}/${spec.feature_registry}`);
  const requestSchema = (await read(spec.request_schema)) as Record<string, unknown>;
  checkJsonSchema(requestSchema, `${model}/${spec.request_schema}`);
  const rules = valid('rule-params', await read(spec.rule_params), `${model}/${spec.rule_params}`);
  const staticLookups: Record<string, ModelFile<unknown>> = {};
  for (const [name, { builder, file, schema }] of Object.entries(spec.lookups)) {
    if (builder !== 'static') continue;
    const document = valid(schema as SchemaName, await read(file), `${model}/${file}`);
    staticLookups[name] = { document, bytes: readableJson(document) };
  }
  const contradictions = checkModel({ folder: model, spec, registry, requestSchema, rules });
  if (contradictions.length > 0) throw invalid(`models/${model}`, contradictions);

  const registryBytes = readableJson(registry);
  const requestSchemaBytes = readableJson(requestSchema);
  const rulesBytes = readableJson(rules);
  const parts = [spec, registry, requestSchema, rules, ...Object.values(staticLookups).map(({ document }) => document)];
  return {
    spec,
    specSha256: sha256Hex(Buffer.concat(parts.map(readableJson))),
    registry,
    registryBytes,
    registrySha256: sha256Hex(registryBytes),
    requestSchema,
    requestSchemaBytes,
    rules,
    rulesBytes,
    staticLookups,
    files,
  };
}

/**
 * `loadModel` for a process that asks again and again: a folder that has not changed is neither parsed nor checked
 * again. Whoever gets a model must not change it.
 */
export function modelReader(modelsDir: string): Models {
  const last = new Map<string, { digest: string; loaded: LoadedModel }>();
  const load: Models['load'] = async (model) => {
    const digest = MODEL_NAME.test(model) ? await digestOf(join(modelsDir, model)).catch(() => null) : null;
    const known = last.get(model);
    if (known !== undefined && known.digest === digest) return known.loaded;
    const loaded = await loadModel(modelsDir, model);
    if (digest !== null) last.set(model, { digest, loaded });
    return loaded;
  };
  return { load, names: () => modelNames(modelsDir) };
}

/** Of the files' names and contents. */
async function digestOf(folder: string): Promise<string> {
  const files = (await readdir(folder)).sort();
  const digests = await Promise.all(files.map(async (file) => sha256Hex(await readFile(join(folder, file)))));
  return sha256Hex(JSON.stringify([files, digests]));
}

/** The models that exist, by name. */
export async function modelNames(modelsDir: string): Promise<string[]> {
  const entries = await readdir(modelsDir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new SluiceError('UnknownModel', `the models' folder ${modelsDir} cannot be read: ${error.code}`);
  });
  return entries
    .filter((entry) => entry.isDirectory() && MODEL_NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Another model with the same name in MLflow; a spec that cannot be read is told of when it is asked for. */
async function otherOfName(
  modelsDir: string,
  known: readonly string[],
  { model, registered_name }: Pick<ModelSpec, 'model' | 'registered_name'>,
): Promise<string | null> {
  for (const other of known.filter((name) => name !== model)) {
    const spec = await readText(join(modelsDir, other), other, SPEC_FILE)
      .then((text) => parseFile(other, SPEC_FILE, text) as { registered_name?: unknown } | null)
      .catch(() => null);
    if (spec?.registered_name === registered_name) return other;
  }
  return null;
}

async function readText(folder: string, model: string, file: string): Promise<string> {
  if (file.includes('/') || file.includes('\\'))
    throw new SluiceError('InvalidSpec', `models/${model}: ${file} must be the name of a file in this folder`);
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (error) {
    throw new SluiceError(
      'InvalidSpec',
      `models/${model}/${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
}

/** YAML, and with it JSON; a key given twice is an error. */
function parseFile(model: string, file: string, text: string): unknown {
  try {
    return file.endsWith('.json') ? JSON.parse(text) : parse(text, { uniqueKeys: true });
  } catch (error) {
    const message = error instanceof YAMLParseError ? error.message.split('\n')[0] : (error as Error).message;
    throw new SluiceError('InvalidSpec', `models/${model}/${file} cannot be parsed: ${message}`);
  }
}

function valid<N extends SchemaName>(schema: N, document: unknown, file: string): SchemaTypes[N] {
  const found = violations(schema, document);
  if (found.length > 0) throw invalid(`models/${file}`, found);
  return document as SchemaTypes[N];
}

function checkJsonSchema(schema: Record<string, unknown>, file: string): void {
  try {
    createAjv().compile(schema);
  } catch (error) {
    throw new SluiceError('InvalidSpec', `models/${file} is not a JSON Schema: ${(error as Error).message}`);
  }
}

function invalid(where: string, found: readonly Violation[]): SluiceError {
  const lines = found.slice(0, 10).map(({ path, message }) => `${path === '' ? '(document)' : path} ${message}`);
  return new SluiceError('InvalidSpec', `${where} is not valid: ${lines.join('; ')}`, { violations: found });
}
