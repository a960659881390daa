import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signEnvelope, verifyEnvelope } from '../domain/dsse/dsse.js';
import { ensureKeyFiles, loadSigner, loadTrustedKeys } from './keys.js';

let directory: string;
let key: string;
let trusted: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
  key = join(directory, 'signing-key.pem');
  trusted = join(directory, 'trusted-keys.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('key files', () => {
  it('are made once, and fit each other', async () => {
    await ensureKeyFiles(key, trusted);
    const before = await Promise.all([readFile(key, 'utf8'), readFile(trusted, 'utf8')]);
    await ensureKeyFiles(key, trusted);
    expect(await Promise.all([readFile(key, 'utf8'), readFile(trusted, 'utf8')])).toEqual(before);
    expect((await stat(key)).mode & 0o077).toBe(0);
    const envelope = signEnvelope('t', Buffer.from('x'), await loadSigner(key));
    expect(verifyEnvelope(envelope, 't', await loadTrustedKeys(trusted)).toString()).toBe('x');
  });

  it('completes what is missing and never replaces a key', async () => {
    await ensureKeyFiles(key, trusted);
    const pem = await readFile(key, 'utf8');
    await rm(trusted);
    await ensureKeyFiles(key, trusted);
    expect(await readFile(key, 'utf8')).toBe(pem);
    expect([...(await loadTrustedKeys(trusted)).keys()]).toEqual([(await loadSigner(key)).keyid]);
  });

  it('say what is wrong, with the path and without the key', async () => {
    await expect(loadSigner(key)).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('SLUICE_SIGNING_KEY_FILE'),
    });
    await expect(loadSigner('')).rejects.toMatchObject({ type: 'NotFound' });
    await writeFile(key, '-----BEGIN PRIVATE KEY-----\nsecret-part\n-----END PRIVATE KEY-----\n');
    const error = await loadSigner(key).catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining(key) });
    expect(String((error as Error).stack)).not.toContain('secret-part');
    await writeFile(
      key,
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    );
    await expect(loadSigner(key)).rejects.toThrow(/rsa.*Ed25519/);

    await expect(loadTrustedKeys(trusted)).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('SLUICE_TRUSTED_KEYS_FILE'),
    });
    for (const [text, message] of [
      ['{', /not JSON/],
      ['{"keys":[]}', /\/keys must NOT have fewer than 1/],
      ['{"keys":[{"public_key_pem":"x"}]}', /\/keys\/0\/public_key_pem is not a public key/],
    ] as const) {
      await writeFile(trusted, text);
      await expect(loadTrustedKeys(trusted)).rejects.toThrow(message);
    }
  });
});
