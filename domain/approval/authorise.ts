import type { Principals } from '../../schemas/types.js';

export type Principal = Principals['principals'][number];
export type Role = Principal['roles'][number];

export interface Authorisation {
  allowed: boolean;
  /** for the person who asked, and for the record */
  why: string;
  /** whether the actor showed a token, and not only a name */
  proven: boolean;
}

/** Roles that a name alone does not give: whoever holds one needs a token. */
const NEED_TOKEN: readonly Role[] = ['overrider'];

export interface Question {
  /** null: nobody of that name is known */
  principal: Principal | null;
  actor: string;
  role: Role;
  /** where principals are kept, for the message */
  principalsFile: string;
  /** whether the request proves possession of the token with this SHA-256 */
  proven: (tokenSha256: string) => boolean;
}

/** Whether the actor is known, holds the role, and, where a token is on file, has shown it. */
export function authorise({ principal, actor, role, principalsFile, proven }: Question): Authorisation {
  if (principal === null)
    return refusal(`${actor} is not among the principals in ${principalsFile}; add them there with the role ${role}`);
  if (!principal.roles.includes(role)) {
    const held =
      principal.roles.length === 0
        ? 'no role'
        : `the role${principal.roles.length > 1 ? 's' : ''} ${principal.roles.join(', ')}`;
    return refusal(`${actor} holds ${held}, and this needs ${role} (${principalsFile})`);
  }
  if (principal.token_sha256 === undefined)
    return NEED_TOKEN.includes(role)
      ? refusal(
          `${actor} has no token on file, and the role ${role} needs one: add its token_sha256 in ${principalsFile}`,
        )
      : { allowed: true, why: `${actor} holds the role ${role}`, proven: false };
  if (!proven(principal.token_sha256))
    return refusal(
      `${actor} has a token on file, and the request does not prove possession of it; send it with SLUICE_TOKEN set to that token`,
    );
  return { allowed: true, why: `${actor} holds the role ${role}`, proven: true };
}

export function refusal(why: string): Authorisation {
  return { allowed: false, why, proven: false };
}
