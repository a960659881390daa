/** How sure it is that somebody is who they say: they showed a token, or only gave a name. */
export type Identity = 'proven' | 'unproven';

/** What an answer says of it; undefined in histories of before it was asked. */
export function identityOf({ proven }: { proven?: boolean }): Identity | undefined {
  return proven === undefined ? undefined : proven ? 'proven' : 'unproven';
}

/** What marks the names that were only given where two different people must ask and decide; null: nothing to mark. */
export function unprovenLine(names: readonly string[] | undefined): string | null {
  return names === undefined || names.length === 0 ? null : `identity unproven: ${names.join(', ')}`;
}
