import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBundleVersion, nextSemver, parseBundleVersion } from './version.js';

describe('bundle versions', () => {
  it('names time, number and commit', () => {
    expect(formatBundleVersion('2025-06-30T12:01:02.999Z', '1.4.0', '0a1b2c3d4e5f')).toBe(
      '20250630-120102-1.4.0-0a1b2c3',
    );
    expect(formatBundleVersion('2025-06-30T14:01:02+02:00', '1.4.0', '')).toBe('20250630-120102-1.4.0-0000000');
  });

  it('reads what it writes', () => {
    const time = fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(time, fc.nat(), fc.nat(), fc.nat(), (createdAt, major, minor, patch) => {
        const version = formatBundleVersion(createdAt.toISOString(), `${major}.${minor}.${patch}`, 'abcdef012');
        expect(parseBundleVersion(version)).toEqual({
          createdAt: createdAt.toISOString().slice(0, 19) + '.000Z',
          major,
          minor,
          patch,
          gitSha7: 'abcdef0',
        });
      }),
    );
  });

  it('refuses what is no version', () => {
    for (const text of ['', '20250630-120102-1.4-0a1b2c3', '../../etc', '20250630-120102-1.4.0-0a1b2c3/x'])
      expect(() => parseBundleVersion(text)).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
    expect(() => formatBundleVersion('yesterday', '1.0.0', '')).toThrow(/not a time/);
    expect(() => formatBundleVersion('2025-06-30T12:01:02Z', '1.0', '')).toThrow(/not a bundle version/);
  });

  it.each([
    [null, 1, 'model', '1.0.0'],
    [null, 3, 'artifacts', '3.0.0'],
    ['20250630-120102-1.4.7-0a1b2c3', 1, 'model', '1.5.0'],
    ['20250630-120102-1.4.7-0a1b2c3', 1, 'artifacts', '1.4.8'],
    ['20250630-120102-1.4.7-0a1b2c3', 2, 'model', '2.0.0'],
  ] as const)('after %s, contract %i, %s: %s', (parent, contract, change, expected) => {
    expect(nextSemver(parent, contract, change)).toBe(expected);
  });
});
