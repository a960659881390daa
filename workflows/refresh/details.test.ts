import { expect, it } from 'vitest';
import type { RefreshProgress } from './contract.js';
import { describeRefresh } from './details.js';

const artifact = {
  job: 'fxRates' as const,
  lookup: 'fx_rates',
  file: 'fx_rates.json',
  objectKey: 'k',
  versionKey: 'v',
  sha256: '0'.repeat(64),
  version: '20250630-00000000',
  asOf: '2025-06-30T00:00:00.000Z',
  rows: 32,
  state: 'changed' as const,
  outcome: 'held' as const,
  checks: [{ name: 'age', passed: false, observed: null, required: '≤ 3', message: 'age | was not measured' }],
  notes: ['<b>carried</b> forward'],
};
const progress: RefreshProgress = {
  status: 'WaitingForApproval',
  steps: [{ name: 'decision', status: 'running', startedAt: null, finishedAt: null, detail: null }],
  jobs: [
    { job: 'fxRates', state: 'done', artifacts: [artifact], error: null },
    { job: 'synonyms', state: 'failed', artifacts: [], error: 'no such file' },
  ],
  approval: {
    digest: 'd'.repeat(64),
    deadline: '2025-06-30T21:00:00.000Z',
    proposal: { model: 'm', key: '2025-06-30', comparedWith: 'b1', artifacts: [artifact] },
  },
  bundleVersion: 'b2',
  generation: 7,
  decidedBy: null,
  why: null,
};
const input = {
  model: 'm',
  asOf: '2025-06-30T00:00:00.000Z',
  key: '2025-06-30',
  caller: { actor: 'schedule', reason: 'refresh as of 2025-06-30' },
};

it('shows what is held with its checks, and how to decide, in the UI and in a terminal', () => {
  const text = describeRefresh(input, null, 'refresh/m/2025-06-30', progress);
  expect(text).toContain('| fx\\_rates | age | NO | not measured | ≤ 3 | age \\| was not measured |');
  expect(text).toContain(`"digest": "${'d'.repeat(64)}"`);
  expect(text).toContain('`sluice refresh approve 2025-06-30 --reason WHY`');
  expect(text).toContain('| synonyms |  |  |  | failed | no such file |');
  expect(text).toContain('&lt;b&gt;carried');
  expect(describeRefresh(input, 'fxRates', 'w', progress)).toContain('approve 2025-06-30 --job fxRates --reason WHY');
});

it('says nothing of a decision where none is awaited', () => {
  const text = describeRefresh(input, null, 'w', { ...progress, approval: null, status: 'Refreshed' });
  expect(text).not.toContain('To decide');
  expect(text).toContain('Bundle `b2`, generation 7');
});
