import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { SluiceError } from '../../platform/errors.js';

/** Compares digests, so that neither the length nor the place of the first difference shows in the time taken. */
export function mayAdminister(request: FastifyRequest, token: string): boolean {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === '' || given === undefined) return false;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/** Says what is asked for and nothing about what was sent. */
export function refusedAdmin(): SluiceError {
  return new SluiceError(
    'NotAuthorised',
    'send the admin token as `Authorization: Bearer …`; it is SLUICE_ADMIN_TOKEN of this replica',
  );
}
