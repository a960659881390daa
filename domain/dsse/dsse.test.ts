import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preAuthEncoding, signEnvelope, verifyEd25519, verifyEnvelope, type Signer } from './dsse.js';

interface Wycheproof {
  numberOfTests: number;
  testGroups: {
    publicKeyDer: string;
    tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' }[];
  }[];
}

const TYPE = 'application/vnd.sluice.test+json';
const keyPair = (keyid: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { signer: { keyid, privateKey } satisfies Signer, publicKey };
};
const ours = keyPair('ours');
const trusted = new Map([['ours', ours.publicKey]]);

describe('Ed25519 verification', () => {
  const corpus = JSON.parse(
    readFileSync(new URL('../../test/corpora/wycheproof_ed25519.json', import.meta.url), 'utf8'),
  ) as Wycheproof;
  const cases = corpus.testGroups.flatMap(({ publicKeyDer, tests }) =>
    tests.map((test) => ({ ...test, publicKeyDer })),
  );

  it('has the whole corpus', () => expect(cases).toHaveLength(corpus.numberOfTests));

  it.each(cases)('Wycheproof $tcId $comment: $result', ({ publicKeyDer, msg, sig, result }) => {
    const key = createPublicKey({ key: Buffer.from(publicKeyDer, 'hex'), format: 'der', type: 'spki' });
    expect(verifyEd25519(key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'))).toBe(result === 'valid');
  });

  it('refuses a key of another kind', () => {
    const { publicKey } = generateKeyPairSync('ed448');
    expect(verifyEd25519(publicKey, Buffer.from('x'), Buffer.alloc(64))).toBe(false);
  });
});

describe('DSSE envelope', () => {
  it('encodes as the specification shows', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(preAuthEncoding('ä', Buffer.alloc(0)).toString()).toBe('DSSEv1 2 ä 0 ');
  });

  it('gives back exactly the bytes that were signed', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        const envelope = signEnvelope(TYPE, payload, ours.signer);
        expect([...verifyEnvelope(JSON.parse(JSON.stringify(envelope)), TYPE, trusted)]).toEqual([...payload]);
      }),
    );
  });

  it('refuses every change of payload, signature, type and key', () => {
    const envelope = signEnvelope(TYPE, Buffer.from('{"a":1}'), ours.signer);
    const sig = envelope.signatures[0]?.sig ?? '';
    const otherByte = (text: string): string => {
      const bytes = Buffer.from(text, 'base64');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      return bytes.toString('base64');
    };
    const refused: [string, unknown, RegExp][] = [
      ['payload', { ...envelope, payload: otherByte(envelope.payload) }, /does not match/],
      ['signature', { ...envelope, signatures: [{ keyid: 'ours', sig: otherByte(sig) }] }, /does not match/],
      ['short signature', { ...envelope, signatures: [{ keyid: 'ours', sig: 'AAAA' }] }, /does not match/],
      ['type', { ...envelope, payloadType: 'text/plain' }, /signed as "text\/plain"/],
      ['unknown key', { ...envelope, signatures: [{ keyid: 'theirs', sig }] }, /signed by theirs.*1 trusted/],
      ['no signatures', { ...envelope, signatures: [] }, /no signatures/],
      ['not base64', { ...envelope, payload: '{"a":1}' }, /not base64/],
      ['not an object', [envelope], /not an object/],
      ['null', null, /not an object/],
      ['bad entry', { ...envelope, signatures: [null] }, /signatures\/0/],
    ];
    for (const [what, candidate, message] of refused) {
      expect(() => verifyEnvelope(candidate, TYPE, trusted), what).toThrow(message);
      expect(() => verifyEnvelope(candidate, TYPE, trusted), what).toThrow(
        expect.objectContaining({ name: 'IntegrityError' }),
      );
    }
    expect(() => verifyEnvelope(envelope, TYPE, new Map()), 'nobody is trusted').toThrow(/0 trusted keys/);
    expect(() => verifyEnvelope(envelope, TYPE, new Map([['ours', keyPair('x').publicKey]])), 'the id alone').toThrow(
      /does not match/,
    );
  });

  it('asks for one good signature of a trusted key, whatever else is there', () => {
    const other = keyPair('other');
    const both = signEnvelope(TYPE, Buffer.from('x'), ours.signer);
    both.signatures.unshift(...signEnvelope(TYPE, Buffer.from('x'), other.signer).signatures);
    expect(verifyEnvelope(both, TYPE, trusted).toString()).toBe('x');
  });

  it('looks at eight signatures of different keys, and at no more', () => {
    const envelope = signEnvelope(TYPE, Buffer.from('x'), ours.signer);
    const others = (count: number) => Array.from({ length: count }, (_, i) => ({ keyid: `k${i}`, sig: 'AAAA' }));
    const withSignatures = (signatures: unknown[]) => () => verifyEnvelope({ ...envelope, signatures }, TYPE, trusted);
    expect(withSignatures([...others(7), ...envelope.signatures])().toString()).toBe('x');
    const refusal = (message: RegExp) =>
      expect.objectContaining({ name: 'TooManySignatures', message: expect.stringMatching(message) as string });
    expect(withSignatures([...others(8), ...envelope.signatures])).toThrow(refusal(/9 signatures/));
    expect(withSignatures([...envelope.signatures, ...envelope.signatures])).toThrow(refusal(/same key/));
    expect(withSignatures([{ keyid: 'k'.repeat(129), sig: 'AAAA' }])).toThrow(/at most 128 characters/);
  });

  it('cannot be passed off as a document of another type', () => {
    const envelope = signEnvelope('application/vnd.sluice.pointer+json', Buffer.from('{}'), ours.signer);
    expect(() => verifyEnvelope({ ...envelope, payloadType: TYPE }, TYPE, trusted)).toThrow(/does not match/);
  });
});
