import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { FAILURES, isRetryableStatus, SluiceError, toFailure, type FailureType } from './errors.js';
import { projectPath } from './project.js';

const documented = new Map(
  [...readFileSync(projectPath('docs', 'errors.md'), 'utf8').matchAll(/^## `(\w+)` · (\w+)$/gm)].map(
    ([, type, retry]) => [type as string, retry as string],
  ),
);

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|py)$/.test(entry.name) && !/\.test\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('the list of failures', () => {
  it('is the documented one, both ways', () => {
    expect(Object.fromEntries(documented)).toEqual(FAILURES);
  });

  it('has no entry that nothing raises', () => {
    const folders = [
      'activities',
      'client',
      'domain',
      'platform',
      'scoring',
      'stack',
      'training',
      'workers',
      'workflows',
    ];
    const code = folders
      .flatMap((folder) => sources(projectPath(folder)))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n')
      .replace(/export const FAILURES = \{[^}]*\}/, '');
    expect(Object.keys(FAILURES).filter((type) => !new RegExp(`['"]${type}['"]`).test(code))).toEqual([]);
  });
});

describe('toFailure', () => {
  it('makes a mistake in the code final and says where it is', () => {
    const failure = toFailure(new TypeError('x is not a function'));
    expect(failure).toMatchObject({
      type: 'Defect',
      nonRetryable: true,
      message: expect.stringMatching(/x is not.*errors\.test/),
    });
  });

  it('gives every type its retryability, and keeps message and details', () => {
    for (const [type, kind] of Object.entries(FAILURES)) {
      const failure = toFailure(new SluiceError(type as FailureType, 'why', { path: '/a' }), 'MLflow');
      expect(failure).toMatchObject({
        type,
        nonRetryable: kind === 'final',
        message: 'MLflow: why',
        details: [{ path: '/a' }],
      });
    }
  });

  it("takes a domain error's name as its type", () => {
    class Refused extends Error {
      override readonly name = 'IntegrityError';
    }
    expect(toFailure(new Refused('no'))).toMatchObject({ type: 'IntegrityError', nonRetryable: true });
  });

  it.each([
    [{ code: 'ECONNREFUSED' }, 'Unreachable', false],
    [{ name: 'MongoServerSelectionError' }, 'Unreachable', false],
    [{ code: 'ENOSPC' }, 'DiskFull', false],
    [{ name: 'InsufficientStorage', $metadata: { httpStatusCode: 507 } }, 'DiskFull', false],
    [{ message: '[Errno 28] No space left on device', response: { status: 500 } }, 'DiskFull', false],
    [{ message: '(sqlite3.OperationalError) database or disk is full' }, 'DiskFull', false],
    [{ response: { status: 503 } }, 'Unreachable', false],
    [{ response: { status: 429 } }, 'Unreachable', false],
    [{ response: { status: 400 } }, 'Rejected', true],
    [{ $metadata: { httpStatusCode: 403 } }, 'Rejected', true],
    [{}, 'Error', false],
  ])('%o is %s, final: %s', (properties, type, nonRetryable) => {
    expect(toFailure(Object.assign(new Error('x'), properties))).toMatchObject({ type, nonRetryable });
  });

  it('leaves a failure alone, and takes what is no Error', () => {
    const failure = ApplicationFailure.create({ type: 'X' });
    expect(toFailure(failure)).toBe(failure);
    expect(toFailure('text').message).toBe('text');
    expect([408, 429, 500, 503].every(isRetryableStatus)).toBe(true);
    expect([400, 401, 404, 409, 412].some(isRetryableStatus)).toBe(false);
  });
});
