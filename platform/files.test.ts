import { describe, expect, it } from 'vitest';
import { toFileError } from './files.js';

describe('what is wrong with a file', () => {
  it.each([
    ['ENOSPC', 'DiskFull'],
    ['EDQUOT', 'DiskFull'],
    ['EACCES', 'InvalidInput'],
    ['EROFS', 'InvalidInput'],
    ['ENOTDIR', 'InvalidInput'],
  ])('%s is %s, with the path and the setting', (code, type) => {
    const error = toFileError(Object.assign(new Error('x'), { code }), '/reports/a.md', 'SLUICE_REPORTS_DIR');
    expect(error).toMatchObject({ type, message: expect.stringMatching(/\/reports\/a\.md.*SLUICE_REPORTS_DIR/) });
  });

  it('leaves everything else alone', () => {
    const error = new Error('x');
    expect(toFileError(error, '/a', 'B')).toBe(error);
  });
});
