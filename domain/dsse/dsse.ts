import { sign, verify, type KeyObject } from 'node:crypto';
import type { DsseEnvelope } from '../../schemas/types.js';

/** Who signs: an Ed25519 private key and the id under which verifiers know its public half. */
export interface Signer {
  keyid: string;
  privateKey: KeyObject;
}

/** Public Ed25519 keys by their id. Nothing else is ever trusted; an empty map trusts nobody. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** Why a signed thing is not believed. Its name is its failure type: no retry helps. */
export class SignatureError extends Error {
  override readonly name: Refusal;

  constructor(message: string, name: Refusal = 'IntegrityError') {
    super(message);
    this.name = name;
  }
}

type Refusal = 'IntegrityError' | 'TooManySignatures';

/** The failure type of an error that wraps another: what was refused for its signatures' number stays that. */
export function refusalOf(cause: unknown): Refusal {
  return (cause as Error | undefined)?.name === 'TooManySignatures' ? 'TooManySignatures' : 'IntegrityError';
}

/** Each signature costs a verification, and each name of a key a line in a message; nobody signs with more keys than this. */
const MAX_SIGNATURES = 8;
const MAX_KEYID = 128;

/**
 * What is really signed: type and length are part of it, so that bytes signed as one kind of document cannot pass as another.
 * DSSE v1 protocol, "PAE": `DSSEv1 SP LEN(type) SP type SP LEN(body) SP body`, lengths in bytes as ASCII decimals.
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    Buffer.from(payload),
  ]);
}

/** Signs raw bytes. Ed25519 is deterministic: the same bytes and key give the same envelope. */
export function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): DsseEnvelope {
  const sig = sign(null, preAuthEncoding(payloadType, payload), signer.privateKey);
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: signer.keyid, sig: sig.toString('base64') }],
  };
}

/** Pure Ed25519 (RFC 8032) over `message`; false for whatever is not a signature of this key. */
export function verifyEd25519(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return publicKey.asymmetricKeyType === 'ed25519' && verify(null, message, publicKey, signature);
}

/**
 * The payload's bytes, once one signature of a trusted key over exactly them is found; the caller parses them only then.
 * @param payloadType the only kind of document that is accepted
 * @throws SignatureError for anything else: malformed, too many signatures, another type, unknown key, wrong signature
 */
export function verifyEnvelope(envelope: unknown, payloadType: string, trustedKeys: TrustedKeys): Buffer {
  const { payload, signatures } = readEnvelope(envelope, payloadType);
  const message = preAuthEncoding(payloadType, payload);
  const known = signatures.filter(({ keyid }) => trustedKeys.has(keyid));
  if (known.length === 0) {
    const ids = signatures.map(({ keyid }) => keyid).join(', ');
    throw new SignatureError(
      `it is signed by ${ids}, which is not among the ${trustedKeys.size} trusted keys; add the public key to the trusted keys file if you trust it`,
    );
  }
  const good = known.some(({ keyid, sig }) => {
    const key = trustedKeys.get(keyid);
    return key !== undefined && verifyEd25519(key, message, sig);
  });
  if (!good)
    throw new SignatureError(
      'its signature does not match its content: it was changed after signing, or the key differs',
    );
  return payload;
}

/** The parts of an envelope. Shape only: nothing here looks into the payload. */
function readEnvelope(
  envelope: unknown,
  payloadType: string,
): { payload: Buffer; signatures: { keyid: string; sig: Buffer }[] } {
  const malformed = (what: string): SignatureError => new SignatureError(`it is not a DSSE envelope: ${what}`);
  if (!isRecord(envelope)) throw malformed('not an object');
  const { payloadType: type, payload, signatures } = envelope;
  if (type !== payloadType)
    throw new SignatureError(`it is signed as ${JSON.stringify(type)?.slice(0, MAX_KEYID)}, not as ${payloadType}`);
  if (!Array.isArray(signatures) || signatures.length === 0) throw malformed('no signatures');
  if (signatures.length > MAX_SIGNATURES)
    throw new SignatureError(
      `it has ${signatures.length} signatures; at most ${MAX_SIGNATURES} are looked at`,
      'TooManySignatures',
    );
  if (!isBase64(payload)) throw malformed('payload is not base64');
  const read = signatures.map((entry: unknown, i) => {
    if (!isRecord(entry) || !isKeyid(entry['keyid']) || !isBase64(entry['sig']))
      throw malformed(`signatures/${i} has no keyid of at most ${MAX_KEYID} characters or no base64 sig`);
    return { keyid: entry['keyid'], sig: Buffer.from(entry['sig'], 'base64') };
  });
  if (new Set(read.map(({ keyid }) => keyid)).size < read.length)
    throw new SignatureError(
      'two of its signatures name the same key; one of each key is looked at',
      'TooManySignatures',
    );
  return { payload: Buffer.from(payload, 'base64'), signatures: read };
}

function isKeyid(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_KEYID;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Standard or URL-safe, as the specification asks; Node's decoder would skip over anything else in silence. */
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value);
}
