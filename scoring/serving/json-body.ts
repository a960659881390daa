import { isUtf8 } from 'node:buffer';
import { SluiceError } from '../../platform/errors.js';

/**
 * A request body as JSON, strictly: UTF-8 without exceptions, and no key twice in one object, since two readers of such a body
 * may see two different amounts. (Numbers out of a double's range become Infinity here; the request's schema refuses those.)
 * @throws SluiceError InvalidInput
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new SluiceError('InvalidInput', 'the body is not UTF-8');
  const text = bytes.toString('utf8');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new SluiceError('InvalidInput', `the body is not JSON: ${(error as Error).message}`);
  }
  if (countMembers(text) !== countKeys(document))
    throw new SluiceError('InvalidInput', 'the body has an object with the same key twice');
  return document;
}

/** Members in the text, which must be valid JSON: a colon outside a string always ends a key. */
function countMembers(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) count += 1;
    else if (code === 0x22) {
      at += 1;
      while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
    }
  }
  return count;
}

/** Keys that survived parsing. Walks with a stack of its own: nesting is the sender's choice, the call stack is not. */
function countKeys(document: unknown): number {
  let count = 0;
  const open: unknown[] = [document];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const item of value as unknown[]) open.push(item);
    else if (typeof value === 'object' && value !== null) {
      const values = Object.values(value);
      count += values.length;
      for (const item of values) open.push(item);
    }
  }
  return count;
}
