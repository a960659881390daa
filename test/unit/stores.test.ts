import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { COLLECTIONS, fixingsCollection, transactionsCollection } from '../../stores/collections.js';
import * as keys from '../../stores/keys.js';

const ROOMS = [
  ...['activities', 'bench', 'client', 'domain', 'ingest', 'platform', 'schedules', 'scoring', 'stack', 'stores'],
  ...['workers', 'workflows'],
];

const sources = ROOMS.flatMap((room) =>
  readdirSync(projectPath(room), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => join(room, path)),
);

/** Lines of the sources that match, but for those of files that may. */
function linesWith(pattern: RegExp, allowed: string): string[] {
  return sources
    .filter((path) => path !== allowed)
    .flatMap((path) =>
      readFileSync(projectPath(path), 'utf8')
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
    );
}

describe('what is stored is named in one place', () => {
  it('collections: only stores/collections.ts opens one', () => {
    expect(sources.length).toBeGreaterThan(300);
    expect(linesWith(/\.collection[<(]/, 'stores/collections.ts')).toEqual([]);
    expect(linesWith(/\bcreateIndex(es)?\(\{/, 'stores/collections.ts')).toEqual([]);
  });

  it('S3 keys: only stores/keys.ts spells out a prefix', () => {
    expect(linesWith(/['"`]fraud['"`/]/, 'stores/keys.ts')).toEqual([]);
    expect(
      linesWith(/['"`/](artifacts|authority|claims|comparisons|pruned|snapshots)\/['"`$]/, 'stores/keys.ts'),
    ).toEqual([]);
  });
});

describe('names are part of what users have stored', () => {
  it('collections are called as in step 2', () => {
    expect(
      Object.values(COLLECTIONS)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([
      'artifact_pins',
      'audit_log',
      'decision_log',
      'deleted_transactions',
      'drift_reports',
      'drift_snapshots',
      'feedback_labels',
      'fraud_params',
      'generation_marks',
      'imports',
      'label_batches',
      'notifications',
      'prediction_log',
      'retrainings',
      'rollout_verdicts',
      'scoring_replicas',
    ]);
  });

  it("a model's own collections are called as its spec says, and indexed by its fields", () => {
    const fields = { id: 'tx', time: 'at', label: 'bad', label_time: 'known_at' };
    const { name, indexes } = transactionsCollection({ collection: 'bookings', fields });
    expect({ name, indexes }).toEqual({
      name: 'bookings',
      indexes: [{ key: { tx: 1 }, unique: true }, { key: { at: 1, tx: 1, known_at: 1 } }],
    });
    expect(fixingsCollection({ fixings_collection: 'rates' }).name).toBe('rates');
  });

  it('keys in S3 are as in step 2', () => {
    expect([
      keys.bundleKey('m', 'v', 'manifest.json'),
      keys.pointerKey('m', 'production'),
      keys.pointerKey('m', 'staging'),
      keys.claimKey('m', 'v'),
      keys.tombstoneKey('m', 'v'),
      keys.snapshotPrefix('m', 'snap'),
      keys.comparisonKey('release', 'v'),
      keys.refreshPrefix('m', '2025-06-30', 'fxRates'),
      keys.expertFileKey('m', 'f.json'),
      keys.formerExpertFileKey('m', 'f.json', '0123456789abcdef0123'),
      keys.driftPrefix({ model: 'm', key: '2025-06-30' }),
      keys.driftReferenceKey('m', 'v', 2),
      keys.thresholdsPrefix('m', '2025-06-30'),
    ]).toEqual([
      'fraud/artifacts/m/v/manifest.json',
      'fraud/artifacts/m/current.json',
      'fraud/artifacts/m/staging.json',
      'fraud/claims/m/v.json',
      'fraud/pruned/m/v/manifest.json',
      'fraud/snapshots/m/snap/',
      'fraud/comparisons/release/v.parquet',
      'fraud/refresh/m/2025-06-30/fxRates/',
      'fraud/authority/m/f.json',
      'fraud/authority/m/former/0123456789abcdef/f.json',
      'fraud/drift/m/2025-06-30/',
      'fraud/drift/m/references/v.v2.json',
      'fraud/thresholds/m/2025-06-30/',
    ]);
  });
});
