import type { AuditEntry, Pointer } from '../../schemas/types.js';
import { canonicalJson, sha256Hex } from '../bundle/digest.js';

/** What stands before the first entry. */
export const GENESIS_HASH = '0'.repeat(64);

/** What an entry says, before it has a place in the chain. */
export type AuditRecord = Omit<AuditEntry, 'seq' | 'prev_hash' | 'hash'>;

/** The record of a pointer's change. The pointer alone decides it, so that whoever finds it missing writes the same. */
export function auditRecordOf(pointer: Pointer): AuditRecord {
  return {
    put_id: pointer.put_id,
    model: pointer.model,
    environment: pointer.environment,
    action: 'pointer-swap',
    generation: pointer.generation,
    old_version: pointer.previous_version,
    new_version: pointer.version,
    new_manifest_sha256: pointer.manifest_sha256,
    release_id: pointer.release_id,
    actor: pointer.actor,
    reason: pointer.reason,
    at: pointer.updated_at,
    ...(pointer.change === undefined ? {} : { change: pointer.change }),
  };
}

/** Puts a record behind the last entry (null: it is the first). */
export function chainEntry(last: Pick<AuditEntry, 'seq' | 'hash'> | null, record: AuditRecord): AuditEntry {
  const linked = { ...record, seq: (last?.seq ?? 0) + 1, prev_hash: last?.hash ?? GENESIS_HASH };
  return { ...linked, hash: sha256Hex(canonicalJson(linked)) };
}

export type ChainVerdict =
  | { intact: true; entries: number; head: string }
  /** the first entry that does not fit, and why */
  | { intact: false; seq: number; problem: string };

/**
 * Checks a whole chain, in order: nothing changed, nothing missing, nothing twice, each pointer's generations rising by one.
 * It cannot see that the newest entries were cut off: compare `head` with a copy kept elsewhere for that.
 */
export function verifyAuditChain(entries: readonly AuditEntry[]): ChainVerdict {
  let head = GENESIS_HASH;
  const putIds = new Set<string>();
  const generations = new Map<string, number>();
  for (const [i, entry] of entries.entries()) {
    const seq = i + 1;
    const { hash, ...rest } = entry;
    const pointer = `${entry.model}/${entry.environment}`;
    const expectedGeneration = (generations.get(pointer) ?? 0) + 1;
    const problem =
      entry.seq !== seq
        ? `found entry ${entry.seq} in its place: one is missing or out of order`
        : entry.prev_hash !== head
          ? 'it does not follow from the entry before it'
          : sha256Hex(canonicalJson(rest)) !== hash
            ? 'its content was changed after it was written'
            : putIds.has(entry.put_id)
              ? `put ${entry.put_id} is recorded twice`
              : entry.generation !== expectedGeneration
                ? `generation ${entry.generation} of ${pointer}, expected ${expectedGeneration}`
                : null;
    if (problem !== null) return { intact: false, seq, problem };
    head = hash;
    putIds.add(entry.put_id);
    generations.set(pointer, entry.generation);
  }
  return { intact: true, entries: entries.length, head };
}
