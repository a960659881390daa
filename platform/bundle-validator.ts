import { SluiceError } from './errors.js';
import { createAjv, toViolations, validate, type SchemaName } from './validate.js';

/**
 * Checks a bundle's document against `schemas/{schema}.schema.json`; `json-schema` means that the document must itself be a
 * usable JSON Schema 2020-12. Handed to `loadBundle` by whoever publishes or loads.
 */
export function validateBundleDocument(schema: string, document: unknown, file: string): unknown {
  if (schema !== 'json-schema') return validate(schema as SchemaName, document, file);
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new SluiceError('InvalidInput', `${file} is not a JSON Schema: it must be an object`);
  const ajv = createAjv();
  if (ajv.validateSchema(document) !== true) {
    const lines = toViolations(ajv.errors).map(({ path, message }) => `${path} ${message}`);
    throw new SluiceError('InvalidInput', `${file} is not a JSON Schema: ${lines.join('; ')}`);
  }
  try {
    ajv.compile(document);
  } catch (error) {
    throw new SluiceError('InvalidInput', `${file} is not a usable JSON Schema: ${(error as Error).message}`);
  }
  return document;
}
