import { compileJsonSchema } from './json-schema.js';
import { validate, type SchemaName } from './validate.js';

/**
 * Checks a bundle's document against `schemas/{schema}.schema.json`; `json-schema` means that the document must itself be a
 * usable JSON Schema 2020-12. Handed to `loadBundle` by whoever publishes or loads.
 */
export function validateBundleDocument(schema: string, document: unknown, file: string): unknown {
  if (schema !== 'json-schema') return validate(schema as SchemaName, document, file);
  compileJsonSchema(document, file);
  return document;
}
