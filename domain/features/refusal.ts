/** Something about one field of a transaction that its reader should know: a null policy at work. */
export interface Notice {
  /** JSON pointer of the field in the request */
  path: string;
  message: string;
}

/** A transaction that the feature registry declares unfit to be scored, with the field that makes it so. */
export class FeatureRefusal extends Error {
  override readonly name = 'InvalidInput';

  constructor(
    /** JSON pointer of the field in the request; empty for the whole */
    readonly path: string,
    /** what is wrong with it, as the rest of a sentence that begins with the path */
    readonly detail: string,
  ) {
    super(`${path === '' ? '(transaction)' : path} ${detail}`);
  }
}

/** A registry that cannot be compiled: it contradicts itself or the lookups it is given. */
export class RegistryError extends Error {
  override readonly name = 'InvalidSpec';
}

const LONGEST_QUOTE = 40;

/** A value as it may stand in a message: quoted, cut, on one line. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return JSON.stringify(shown);
}
