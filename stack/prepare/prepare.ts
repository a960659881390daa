import { setTimeout as delay } from 'node:timers/promises';
import { ensureKeyFiles } from '../../platform/keys.js';
import type { Settings } from '../../platform/config.js';
import { externalServer } from '../parts/external.js';
import { ensurePrincipalsFile } from '../state/secrets.js';
import { SERVERS } from '../types.js';

const RETRY_EVERY_MS = 2_000;

/**
 * Makes servers that the stack did not start ready for Sluice: Temporal's search attributes, the bucket, and checks that all can be used;
 * then the key pair and the principals, where there are none yet. Everything may be done twice.
 * @param patienceMs how long servers that do not answer yet are waited for
 */
export async function prepare(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  patienceMs: number,
  log: (message: string) => void,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (const name of SERVERS) {
    const server = externalServer(name, env);
    for (;;) {
      try {
        await server?.check();
        log(`${name} at ${server?.address ?? ''} is ready`);
        break;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        log((error as Error).message);
        await delay(RETRY_EVERY_MS);
      }
    }
  }
  await ensureKeyFiles(settings.SLUICE_SIGNING_KEY_FILE, settings.SLUICE_TRUSTED_KEYS_FILE);
  ensurePrincipalsFile(settings.SLUICE_PRINCIPALS_FILE, env['SLUICE_ACTOR'] || undefined);
  log('keys and principals are there');
}
