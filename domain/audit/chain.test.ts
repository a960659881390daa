import { describe, expect, it } from 'vitest';
import { validate } from '../../platform/validate.js';
import type { AuditEntry, Pointer } from '../../schemas/types.js';
import { nextPointer } from '../pointer/pointer.js';
import { auditRecordOf, chainEntry, GENESIS_HASH, verifyAuditChain } from './chain.js';

function pointers(length: number): Pointer[] {
  const all: Pointer[] = [];
  for (let i = 1; i <= length; i++) {
    all.push(
      nextPointer(all.at(-1) ?? null, {
        model: 'tiny',
        environment: 'production',
        bundle: { version: `20250630-12000${i}-1.${i}.0-0a1b2c3`, manifestSha256: 'a'.repeat(64) },
        expectedGeneration: i - 1,
        releaseId: `r${i}`,
        putId: `put-${i}`,
        actor: 'ada',
        reason: 'a "quoted" reason\nüber zwei Zeilen',
        updatedAt: '2025-06-30T12:00:00.000Z',
      }),
    );
  }
  return all;
}

function chain(length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (const pointer of pointers(length)) entries.push(chainEntry(entries.at(-1) ?? null, auditRecordOf(pointer)));
  return entries;
}

describe('the audit chain', () => {
  it('holds from the first entry on', () => {
    const entries = chain(4);
    for (const entry of entries) validate('audit-entry', entry);
    expect(entries[0]?.prev_hash).toBe(GENESIS_HASH);
    expect(verifyAuditChain(entries)).toEqual({ intact: true, entries: 4, head: entries[3]?.hash });
    expect(verifyAuditChain([])).toEqual({ intact: true, entries: 0, head: GENESIS_HASH });
  });

  it('holds what a publisher said of the change, and shows when that is changed or left out', () => {
    const note = {
      kind: 'thresholds' as const,
      decided_by: 'grace',
      values: [{ name: 'operating', old: 0.5, new: 0.4 }],
    };
    const [first, second] = pointers(2) as [Pointer, Pointer];
    const entries = [chainEntry(null, auditRecordOf(first))];
    entries.push(chainEntry(entries[0] as AuditEntry, auditRecordOf({ ...second, change: note })));
    expect(validate('audit-entry', entries[1]).change).toEqual(note);
    expect(verifyAuditChain(entries)).toMatchObject({ intact: true });
    const forged = { ...(entries[1] as AuditEntry), change: { ...note, decided_by: 'mallory' } };
    expect(verifyAuditChain([entries[0] as AuditEntry, forged])).toMatchObject({ intact: false, seq: 2 });
    const { change: _left, ...bare } = entries[1] as AuditEntry;
    expect(verifyAuditChain([entries[0] as AuditEntry, bare])).toMatchObject({ intact: false, seq: 2 });
  });

  it('shows every change of every field of every entry', () => {
    for (const field of Object.keys(chain(1)[0] as object) as (keyof AuditEntry)[]) {
      const entries = chain(3) as unknown as Record<string, unknown>[];
      const entry = entries[1] as Record<string, unknown>;
      entry[field] = typeof entry[field] === 'number' ? 9 : 'changed';
      expect(verifyAuditChain(entries as unknown as AuditEntry[]), field).toMatchObject({ intact: false, seq: 2 });
    }
  });

  it('shows a missing, a doubled and a moved entry', () => {
    const [a, b, c] = chain(3) as [AuditEntry, AuditEntry, AuditEntry];
    expect(verifyAuditChain([a, c])).toMatchObject({ intact: false, seq: 2 });
    expect(verifyAuditChain([b, c])).toMatchObject({ intact: false, seq: 1 });
    expect(verifyAuditChain([a, a, b])).toMatchObject({ intact: false, seq: 2 });
    expect(verifyAuditChain([a, c, b])).toMatchObject({ intact: false, seq: 2 });
  });

  it('shows a put recorded twice and a generation out of step, though the hashes fit', () => {
    const [a] = chain(1) as [AuditEntry];
    const record = auditRecordOf(pointers(1)[0] as Pointer);
    expect(verifyAuditChain([a, chainEntry(a, record)])).toMatchObject({
      seq: 2,
      problem: expect.stringContaining('twice'),
    });
    expect(verifyAuditChain([a, chainEntry(a, { ...record, put_id: 'x', generation: 3 })])).toMatchObject({
      seq: 2,
      problem: expect.stringContaining('expected 2'),
    });
    const staging = chainEntry(a, { ...record, put_id: 'x', environment: 'staging' });
    expect(verifyAuditChain([a, staging])).toMatchObject({ intact: true });
  });
});
