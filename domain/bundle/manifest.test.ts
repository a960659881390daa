import { expect, it } from 'vitest';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { BUNDLE_FILE } from './layout.js';
import { buildManifest } from './manifest.js';

it('is valid where the code was no Git checkout, as of an unpacked archive', () => {
  const { manifest } = buildManifest(
    {
      model: 'm',
      modelVersion: '1',
      version: '20250630-120000-1.0.0-0000000',
      runId: 'run',
      gitSha: '',
      trainedAt: '2025-06-30T11:00:00.000Z',
      asOf: '2025-06-30T00:00:00.000Z',
      dataSnapshotId: 's1',
      metrics: {},
      parentVersion: null,
      releaseId: 'r1',
    },
    new Map([BUNDLE_FILE.featureRegistry, BUNDLE_FILE.pipeline].map((name) => [name, Buffer.from(name)])),
  );
  expect(validateBundleDocument('manifest', manifest, 'manifest.json')).toMatchObject({ git_sha: '0000000' });
});
