import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { buildApp, type AppDeps } from '../../scoring/serving/app.js';
import type { ServingSets } from '../../scoring/traffic/serving-sets.js';
import { appDeps } from './app-deps.js';

/** The scorer's API over these sets, listening: no control behind it, no prediction log, no database. */
export async function listeningApp(
  sets: ServingSets,
  limits: Partial<AppDeps['limits']> = {},
  changes: Partial<AppDeps> = {},
): Promise<{ app: FastifyInstance; port: number }> {
  const app = await buildApp(appDeps(sets, limits, changes));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, port: (app.server.address() as AddressInfo).port };
}
