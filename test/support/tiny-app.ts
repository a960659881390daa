import type { FastifyInstance } from 'fastify';
import type { ScoredRequest } from '../../scoring/prediction-log/scored-request.js';
import type { ReadImage } from '../../scoring/bundles/kernel/read-image.js';
import { buildApp, type AppDeps } from '../../scoring/serving/app.js';
import { createServingSets } from '../../scoring/traffic/serving-sets.js';
import { appDeps } from './app-deps.js';
import { openTiny } from './live-tiny-bundle.js';
import type { TinyOptions } from './tiny-bundle.js';

export interface TinyApp {
  app: FastifyInstance;
  /** what the prediction log was given */
  offered: ScoredRequest[];
  close(): Promise<void>;
}

export const TINY_ADMIN = 'a-long-admin-token';

/** What an app needs, without any server beside it; nothing is served yet. */
export function tinyDeps(offered: ScoredRequest[] = []): AppDeps {
  const sets = createServingSets(({ champion }) => void champion.close());
  const limits = { maxTransactions: 50, bodyBytes: 100_000, waitMs: 1_000 };
  const predictionLog = { offer: (request: ScoredRequest) => void offered.push(request) } as AppDeps['predictionLog'];
  return appDeps(sets, limits, { predictionLog, adminToken: TINY_ADMIN });
}

/** An app that listens and serves a tiny bundle. */
export async function tinyApp(
  options: Partial<TinyOptions> & { generation?: number },
  readImage?: ReadImage,
): Promise<TinyApp> {
  const offered: ScoredRequest[] = [];
  const deps = tinyDeps(offered);
  deps.sets.replace(await openTiny(options, readImage));
  const app = await buildApp(deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    offered,
    async close() {
      await app.close();
      deps.sets.replace(null);
    },
  };
}
