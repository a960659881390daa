import type { Principals } from '../../schemas/types.js';

export type Principal = Principals['principals'][number];
export type Role = Principal['roles'][number];

export interface Authorisation {
  allowed: boolean;
  /** for the person who asked, and for the record */
  why: string;
}

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
    return {
      allowed: false,
      why: `${actor} is not among the principals in ${principalsFile}; add them there with the role ${role}`,
    };
  if (!principal.roles.includes(role)) {
    const held =
      principal.roles.length === 0
        ? 'no role'
        : `the role${principal.roles.length > 1 ? 's' : ''} ${principal.roles.join(', ')}`;
    return { allowed: false, why: `${actor} holds ${held}, and this needs ${role} (${principalsFile})` };
  }
  if (principal.token_sha256 !== undefined && !proven(principal.token_sha256))
    return {
      allowed: false,
      why: `${actor} has a token on file, and the request does not prove possession of it; send it with SLUICE_TOKEN set to that token`,
    };
  return { allowed: true, why: `${actor} holds the role ${role}` };
}
