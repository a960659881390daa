import { buffer } from 'node:stream/consumers';
import type { Static, TSchema } from 'typebox';
import { malformed, FxAnswerError, quoted } from '../../../domain/fx/answer.js';
import { decodeUtf8 } from '../../../domain/json/decode.js';
import { readJson } from '../../../domain/json/read.js';
import { createAjv, toViolations } from '../../../platform/validate.js';
import { download, type Download } from './download.js';

/** Ten times what the largest answer has: 170 currencies on 366 days. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

/**
 * A reader of JSON answers of one shape. A currency given twice is refused, as is a number that is not finite (`1e999`).
 * @returns the document, typed
 */
export function jsonReader<S extends TSchema>(schema: S): (request: Download) => Promise<Static<S>> {
  const valid = createAjv().compile(schema);
  return (request) =>
    download(request, async (pieces) => {
      const decoded = decodeUtf8(await buffer(pieces));
      if ('finding' in decoded) throw malformed(`it ${decoded.finding.message}`);
      const { document, findings } = readJson(decoded.text);
      const [first] = findings;
      if (first !== undefined) {
        const { line, column, path, message } = first;
        if (document === undefined && endsEarly(decoded.text))
          throw new FxAnswerError('Unreachable', `it stops in the middle of the document (line ${line})`);
        throw malformed(`line ${line}, column ${column}: ${path === '' ? 'it' : quoted(path)} ${message}`);
      }
      if (!valid(document)) {
        const [violation] = toViolations(valid.errors);
        throw malformed(`${quoted(violation?.path || '(document)')} ${violation?.message ?? 'is not valid'}`);
      }
      return document as Static<S>;
    });
}

/** Documents of these shapes are objects: one that begins as such and does not end as such was cut off. */
function endsEarly(text: string): boolean {
  const trimmed = text.trim();
  return trimmed === '' || (trimmed.startsWith('{') && !trimmed.endsWith('}'));
}
