import type { ManifestInput } from '../../domain/bundle/manifest.js';

/** What a manifest says of a bundle whose code was no Git checkout. */
export const MANIFEST_FACTS: ManifestInput = {
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
};
