import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { SluiceError } from './errors.js';
import { validate } from './validate.js';

/** The key's id: SHA-256 of its public half (SubjectPublicKeyInfo, DER), in hex. */
export function keyIdOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** The Ed25519 private key (PKCS 8, PEM) that signs manifests and pointers, and its id. */
export async function loadSigner(path: string): Promise<{ keyid: string; privateKey: KeyObject }> {
  const pem = await readKeyFile(path, 'SLUICE_SIGNING_KEY_FILE');
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    // The parser's own message may quote the file.
    throw new SluiceError('InvalidInput', `${path} does not hold a private key in PEM form (PKCS 8, not encrypted).`);
  }
  requireEd25519(privateKey, path);
  return { keyid: keyIdOf(privateKey), privateKey };
}

/** The public keys whose signatures are believed, by id. */
export async function loadTrustedKeys(path: string): Promise<ReadonlyMap<string, KeyObject>> {
  const text = (await readKeyFile(path, 'SLUICE_TRUSTED_KEYS_FILE')).toString('utf8');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new SluiceError('InvalidInput', `${path} is not JSON: ${(error as Error).message}`);
  }
  const { keys } = validate('trusted-keys', document, path);
  return new Map(
    keys.map(({ public_key_pem }, i) => {
      let key: KeyObject;
      try {
        key = createPublicKey(public_key_pem);
      } catch {
        throw new SluiceError('InvalidInput', `${path}: /keys/${i}/public_key_pem is not a public key in PEM form.`);
      }
      requireEd25519(key, `${path}: /keys/${i}/public_key_pem`);
      return [keyIdOf(key), key];
    }),
  );
}

/**
 * Makes a signing key and a trusted keys file that names it, where there is none yet; what exists is left alone.
 * For the embedded stack: a team keeps its key in a secret store and mounts both files.
 */
export async function ensureKeyFiles(signingKeyFile: string, trustedKeysFile: string): Promise<void> {
  let keyid: string;
  let publicKey: KeyObject;
  try {
    const signer = await loadSigner(signingKeyFile);
    keyid = signer.keyid;
    publicKey = createPublicKey(signer.privateKey);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.type !== 'NotFound') throw error;
    const pair = generateKeyPairSync('ed25519');
    publicKey = pair.publicKey;
    keyid = keyIdOf(publicKey);
    await writeFileAtomic(signingKeyFile, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  try {
    await loadTrustedKeys(trustedKeysFile);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.type !== 'NotFound') throw error;
    const entry = { keyid, public_key_pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
    await writeFileAtomic(trustedKeysFile, JSON.stringify({ keys: [entry] }, null, 2) + '\n');
  }
}

async function readKeyFile(path: string, variable: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR' || path === '')
      throw new SluiceError(
        'NotFound',
        `No key file at ${JSON.stringify(path)}: set ${variable} to its path, or run \`sluice up\`, which makes one.`,
      );
    throw new SluiceError(
      'InvalidInput',
      `${path} cannot be read (${code ?? ''}); check ${variable} and the file's permissions.`,
    );
  }
}

function requireEd25519(key: KeyObject, where: string): void {
  if (key.asymmetricKeyType !== 'ed25519')
    throw new SluiceError(
      'InvalidInput',
      `${where} holds a key of type ${key.asymmetricKeyType ?? 'unknown'}; Sluice signs with Ed25519 only.`,
    );
}
