import { describe, expect, it } from 'vitest';
import { thresholdsInForce } from './thresholds-in-force.js';

type Entry = Parameters<typeof thresholdsInForce>[0][number];
const entry = (
  old_version: string | null,
  new_version: string,
  release_id: string,
  kind?: 'model' | 'lookups' | 'thresholds',
): Entry => ({ old_version, new_version, release_id, ...(kind === undefined ? {} : { change: { kind } }) });

const release = entry(null, '1.0.0', 'demo', 'model');
const thresholds = entry('1.0.0', '1.1.0', 'thresholds-2025-06-30', 'thresholds');
const refresh = entry('1.1.0', '1.1.1', 'refresh-2025-07-01', 'lookups');

describe('the live thresholds', () => {
  it.each([
    ['nothing went live', [], null],
    ['a release', [release], 'demo'],
    ['a recalibration', [release, thresholds], 'thresholds-2025-06-30'],
    ['a refresh passes them on', [release, thresholds, refresh], 'thresholds-2025-06-30'],
    [
      'a refresh of before the audit named changes',
      [release, thresholds, entry('1.1.0', '1.1.1', 'refresh-2025-07-01')],
      'thresholds-2025-06-30',
    ],
    ['a rollback', [release, thresholds, entry('1.1.0', '1.0.0', 'rollback-x')], 'demo'],
    [
      'a rollback and back again',
      [release, thresholds, refresh, entry('1.1.1', '1.0.0', 'rollback-x'), entry('1.0.0', '1.1.1', 'rollback-y')],
      'thresholds-2025-06-30',
    ],
    ['a later release', [release, thresholds, entry('1.1.0', '2.0.0', 'june', 'model')], 'june'],
  ])('after %s', (_, entries, made) => {
    expect(thresholdsInForce(entries)).toBe(made);
  });
});
