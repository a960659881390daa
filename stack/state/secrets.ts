import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import writeFileAtomic from 'write-file-atomic';
import type { Principals } from '../../schemas/types.js';
import { SluiceError } from '../../platform/errors.js';
import { ensureKeyFiles } from '../../platform/keys.js';
import { validate } from '../../platform/validate.js';
import type { StatePaths } from './paths.js';

const OWNER_ONLY = 0o600;

/** What is generated once per state directory and kept for its owner only. */
export interface Secrets {
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  adminToken: string;
}

/** The stack's passwords, made on the first call and the same from then on. */
export function ensureSecrets(paths: StatePaths): Secrets {
  if (existsSync(paths.secrets)) {
    chmodSync(paths.secrets, OWNER_ONLY);
    return JSON.parse(readFileSync(paths.secrets, 'utf8')) as Secrets;
  }
  const secrets: Secrets = {
    s3AccessKeyId: randomBytes(10).toString('hex'),
    s3SecretAccessKey: randomBytes(24).toString('base64url'),
    adminToken: randomBytes(24).toString('base64url'),
  };
  writeFileAtomic.sync(paths.secrets, JSON.stringify(secrets, null, 2) + '\n', { mode: OWNER_ONLY });
  return secrets;
}

/** The key that signs manifests and pointers, and the list of keys that readers trust, which names it. */
export async function ensureSigningKey(paths: StatePaths): Promise<void> {
  await ensureKeyFiles(paths.signingKey, paths.trustedKeys);
  chmodSync(paths.signingKey, OWNER_ONLY);
}

/** Who may do what: where there is no file yet, one person (by default the user of this machine) may do everything. An existing one is checked and left alone. */
export function ensurePrincipalsFile(file: string, owner: string = userInfo().username): void {
  if (existsSync(file)) {
    let document: unknown;
    try {
      document = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new SluiceError('InvalidInput', `${file} is not JSON: ${(error as Error).message}`);
    }
    validate('principals', document, file);
    return;
  }
  const principals: Principals = {
    principals: [{ name: owner, roles: ['requester', 'approver', 'operator'] }],
  };
  writeFileAtomic.sync(file, JSON.stringify(principals, null, 2) + '\n', { mode: OWNER_ONLY });
}
