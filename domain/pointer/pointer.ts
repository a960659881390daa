import type { Pointer, PointerFile } from '../../schemas/types.js';
import { readableJson } from '../bundle/digest.js';
import { refusalOf, signEnvelope, verifyEnvelope, type Signer, type TrustedKeys } from '../dsse/dsse.js';
import type { BundleId } from '../bundle/id.js';

export const POINTER_PAYLOAD_TYPE = 'application/vnd.sluice.pointer+json';

/** Why a pointer is not believed. Its name is its failure type: no retry helps. */
export class PointerError extends Error {
  override readonly name: ReturnType<typeof refusalOf>;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = refusalOf(options?.cause);
  }
}

/** What a publisher says of a change, for whoever reads the audit log later. */
export type ChangeNote = NonNullable<Pointer['change']>;

/** What a swap asks for. */
export interface PointerChange {
  model: string;
  environment: Pointer['environment'];
  bundle: BundleId;
  /** 0: no pointer yet */
  expectedGeneration: number;
  releaseId: string;
  putId: string;
  actor: string;
  reason: string;
  updatedAt: string;
  change?: ChangeNote;
}

/**
 * What the pointer at hand means for a change: `put` it; it is `already` there (our earlier attempt, whose reply was lost); or it is
 * `lost`, since another change went first. Generations only rise: an expectation from the future is lost as well.
 */
export function decideSwap(current: Pointer | null, change: PointerChange): 'put' | 'already' | 'lost' {
  if (current !== null && current.put_id === change.putId) return 'already';
  return (current?.generation ?? 0) === change.expectedGeneration ? 'put' : 'lost';
}

/** The pointer after a change: one generation on, whichever bundle it names; an undo is a higher generation too. */
export function nextPointer(current: Pointer | null, change: PointerChange): Pointer {
  return {
    model: change.model,
    version: change.bundle.version,
    manifest_sha256: change.bundle.manifestSha256,
    environment: change.environment,
    generation: (current?.generation ?? 0) + 1,
    candidate: null,
    release_id: change.releaseId,
    put_id: change.putId,
    previous_version: current?.version ?? null,
    actor: change.actor,
    reason: change.reason,
    updated_at: change.updatedAt,
    ...(change.change === undefined ? {} : { change: change.change }),
  };
}

/** How an offered pointer stands to the one that is held: only `newer` may replace it, `equal` is no error. */
export function comparePointers(
  held: Pick<Pointer, 'generation'> | null,
  offered: Pick<Pointer, 'generation'>,
): 'newer' | 'equal' | 'older' {
  if (held === null || offered.generation > held.generation) return 'newer';
  return offered.generation === held.generation ? 'equal' : 'older';
}

/** The bytes of `current.json`: signed, with the version in the clear for people and scripts. */
export function writePointerFile(pointer: Pointer, signer: Signer): Buffer {
  const file: PointerFile = {
    version: pointer.version,
    envelope: signEnvelope(POINTER_PAYLOAD_TYPE, readableJson(pointer), signer),
  };
  return readableJson(file);
}

/**
 * The pointer in some bytes, believed: signed by a trusted key, for this model and environment, and the version in the clear the same.
 * @param validate checks a document against a schema and returns it, or throws with the fields' paths
 */
export function readPointerFile(
  bytes: Uint8Array,
  wanted: { model: string; environment: string },
  trustedKeys: TrustedKeys,
  validate: (schema: 'pointer-file' | 'pointer', document: unknown, what: string) => unknown,
): Pointer {
  const what = `the pointer of ${wanted.model} in ${wanted.environment}`;
  try {
    const file = validate('pointer-file', JSON.parse(Buffer.from(bytes).toString('utf8')), what) as PointerFile;
    const payload = verifyEnvelope(file.envelope, POINTER_PAYLOAD_TYPE, trustedKeys);
    const pointer = validate('pointer', JSON.parse(payload.toString('utf8')), what) as Pointer;
    if (pointer.model !== wanted.model || pointer.environment !== wanted.environment)
      throw new Error(`it is signed for ${pointer.model} in ${pointer.environment}`);
    if (pointer.version !== file.version)
      throw new Error(`it says ${file.version} in the clear, and ${pointer.version} is signed`);
    return pointer;
  } catch (error) {
    throw new PointerError(`${what} is refused: ${(error as Error).message}`, { cause: error });
  }
}
