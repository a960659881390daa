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
  if (hasKeyTwice(bytes, text, document))
    throw new SluiceError('InvalidInput', 'the body has an object with the same key twice');
  return document;
}

/**
 * Whether parsing dropped a member. Each key and each text has two quotation marks, so a document whose text holds just as many as it needs
 * lost nothing. Only where a backslash may have escaped some are the members of the text counted one by one.
 */
function hasKeyTwice(bytes: Buffer, text: string, document: unknown): boolean {
  const { keys, texts } = countOf(document);
  return bytes.includes(BACKSLASH) ? countMembers(text) !== keys : countQuotes(bytes) !== 2 * (keys + texts);
}

const BACKSLASH = 0x5c;
const QUOTE = 0x22;

function countQuotes(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (bytes[at] === QUOTE) count += 1;
  return count;
}

/** Members in the text, which must be valid JSON: a colon outside a string always ends a key. */
function countMembers(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) count += 1;
    else if (code === QUOTE) {
      at += 1;
      while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
    }
  }
  return count;
}

/** What survived parsing. Walks with a stack of its own: nesting is the sender's choice, the call stack is not. */
function countOf(document: unknown): { keys: number; texts: number } {
  let keys = 0;
  let texts = 0;
  const open: object[] = [];
  const count = (value: unknown): void => {
    if (typeof value === 'string') texts += 1;
    else if (typeof value === 'object' && value !== null) open.push(value);
  };
  count(document);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (Array.isArray(value)) for (const item of value as unknown[]) count(item);
    else {
      // What JSON.parse makes has no prototype's keys: `__proto__` is an own one there.
      for (const key in value) {
        keys += 1;
        count((value as Record<string, unknown>)[key]);
      }
    }
  }
  return { keys, texts };
}
