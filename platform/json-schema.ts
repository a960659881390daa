import type { ValidateFunction } from 'ajv/dist/2020.js';
import { createAjv, toViolations } from './validate.js';
import { SluiceError } from './errors.js';

/** Compiled schemas by their text, newest last. Compiling blocks for some 20 ms, and most bundles bring the schema of the last one. */
const compiled = new Map<string, ValidateFunction>();
const KEPT = 8;

/**
 * The validator of a document that must itself be a usable JSON Schema 2020-12.
 * @param file how a message calls it
 * @throws SluiceError InvalidInput
 */
export function compileJsonSchema(document: unknown, file: string): ValidateFunction {
  const text = JSON.stringify(document);
  const known = compiled.get(text);
  const validate = known ?? compile(document, file);
  compiled.delete(text);
  compiled.set(text, validate);
  for (const oldest of compiled.keys()) {
    if (compiled.size <= KEPT) break;
    compiled.delete(oldest);
  }
  return validate;
}

function compile(document: unknown, file: string): ValidateFunction {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new SluiceError('InvalidInput', `${file} is not a JSON Schema: it must be an object`);
  const ajv = createAjv();
  if (ajv.validateSchema(document) !== true) {
    const lines = toViolations(ajv.errors).map(({ path, message }) => `${path} ${message}`);
    throw new SluiceError('InvalidInput', `${file} is not a JSON Schema: ${lines.join('; ')}`);
  }
  try {
    return ajv.compile(document);
  } catch (error) {
    throw new SluiceError('InvalidInput', `${file} is not a usable JSON Schema: ${(error as Error).message}`);
  }
}
