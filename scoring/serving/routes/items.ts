import { SluiceError } from '../../../platform/errors.js';
import { parseJsonBody } from '../json-body.js';

/** One, or a list of at least one and at most `max`. */
export function itemsOf(
  body: unknown,
  what: string,
  max: number,
): { items: readonly unknown[]; pathOf: (index: number) => string } {
  if (body === undefined)
    throw new SluiceError('InvalidInput', `the body is empty: send one ${what} or a list of ${what}s as JSON`);
  if (!Array.isArray(body)) return { items: [body], pathOf: () => '' };
  if (body.length === 0) throw new SluiceError('InvalidInput', `the list is empty: send at least one ${what}`);
  if (body.length > max)
    throw new SluiceError('InvalidInput', `the list has ${body.length} ${what}s; at most ${max} fit into one request`);
  return { items: body as unknown[], pathOf: (index) => `/${index}` };
}

/**
 * A request's body as JSON; undefined when there is none.
 * @throws SluiceError InvalidInput
 */
export function documentOf(body: unknown): unknown {
  return Buffer.isBuffer(body) && body.length > 0 ? parseJsonBody(body) : undefined;
}
