import { describe, expect, it } from 'vitest';
import { validate } from '../../platform/validate.js';
import type { Pointer } from '../../schemas/types.js';
import { testSigner } from '../../test/support/live-tiny-bundle.js';
import { signEnvelope } from '../dsse/dsse.js';
import {
  comparePointers,
  decideSwap,
  nextPointer,
  POINTER_PAYLOAD_TYPE,
  readPointerFile,
  writePointerFile,
  type PointerChange,
} from './pointer.js';

const { signer, trustedKeys } = testSigner();
const wanted = { model: 'tiny', environment: 'production' };
const change = (changes: Partial<PointerChange> = {}): PointerChange => ({
  model: 'tiny',
  environment: 'production',
  bundle: { version: '20250630-120000-1.0.0-0a1b2c3', manifestSha256: 'a'.repeat(64) },
  expectedGeneration: 0,
  releaseId: 'r1',
  putId: 'put-1',
  actor: 'ada',
  reason: 'first',
  updatedAt: '2025-06-30T12:00:00.000Z',
  ...changes,
});
const first = nextPointer(null, change());
const read = (bytes: Buffer, at = wanted) => readPointerFile(bytes, at, trustedKeys, validate);

describe('the pointer', () => {
  it('rises by one, whichever bundle it names, and says what it replaced', () => {
    expect(first).toMatchObject({ generation: 1, previous_version: null });
    const second = nextPointer(
      first,
      change({ bundle: { version: '20240101-000000-1.0.0-0a1b2c3', manifestSha256: 'b'.repeat(64) } }),
    );
    expect(second).toMatchObject({ generation: 2, previous_version: first.version, candidate: null });
  });

  it.each([
    ['nothing there, nothing expected', null, {}, 'put'],
    ['nothing there, something expected', null, { expectedGeneration: 1 }, 'lost'],
    ['what was expected', first, { putId: 'put-2', expectedGeneration: 1 }, 'put'],
    ['our own earlier put', first, {}, 'already'],
    ['our own, whatever was expected', first, { expectedGeneration: 7 }, 'already'],
    ['someone else first', first, { putId: 'put-2', expectedGeneration: 0 }, 'lost'],
    ['older than expected', first, { putId: 'put-2', expectedGeneration: 2 }, 'lost'],
  ] as const)('%s', (_what, current, changes, decision) => expect(decideSwap(current, change(changes))).toBe(decision));

  it('carries what its publisher said of the change, signed, and not on to the next', () => {
    const note = { kind: 'lookups' as const, values: [{ name: 'fx_rates.json', old: null, new: 'c'.repeat(64) }] };
    const pointer = nextPointer(first, change({ putId: 'put-2', change: note }));
    expect(read(writePointerFile(pointer, signer)).change).toEqual(note);
    expect(nextPointer(pointer, change({ putId: 'put-3' }))).not.toHaveProperty('change');
  });

  it('is compared by generation alone', () => {
    expect(comparePointers(null, { generation: 1 })).toBe('newer');
    expect(comparePointers({ generation: 1 }, { generation: 2 })).toBe('newer');
    expect(comparePointers({ generation: 2 }, { generation: 2 })).toBe('equal');
    expect(comparePointers({ generation: 2 }, { generation: 1 })).toBe('older');
  });

  it('is read back as it was written, with its version in the clear', () => {
    const bytes = writePointerFile(first, signer);
    expect(read(bytes)).toEqual(first);
    expect((JSON.parse(bytes.toString()) as { version: string }).version).toBe(first.version);
  });

  it('is refused when anything about it is wrong', () => {
    const file = (pointer: object, version = first.version): Buffer =>
      Buffer.from(
        JSON.stringify({
          version,
          envelope: signEnvelope(POINTER_PAYLOAD_TYPE, Buffer.from(JSON.stringify(pointer)), signer),
        }),
      );
    const refused: [Buffer, RegExp][] = [
      [Buffer.from(''), /pointer of tiny in production is refused/],
      [Buffer.from('{}'), /version/],
      [writePointerFile(first, testSigner().signer), /signature does not match/],
      [file(first, '20990101-000000-9.0.0-0a1b2c3'), /in the clear/],
      [file({ ...first, generation: 0 }), /\/generation/],
      [file({ ...first, extra: 1 }), /\/extra is not a known key/],
      [file({ ...first, environment: 'staging' } satisfies Pointer), /signed for tiny in staging/],
    ];
    for (const [bytes, message] of refused) {
      expect(() => read(bytes)).toThrow(message);
      expect(() => read(bytes)).toThrow(expect.objectContaining({ name: 'IntegrityError' }));
    }
    expect(() => read(writePointerFile(first, signer), { ...wanted, model: 'other' })).toThrow(/signed for tiny/);
  });
});
