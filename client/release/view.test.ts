import { expect, it } from 'vitest';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Queued } from '../runs/watch.js';
import { releaseText } from './view.js';

const text = (status: ReleaseProgress['status'], queuedSeconds: number, queued: Queued[] = []): string => {
  const progress = { status, why: null, steps: [], gates: [], metrics: null, approval: null, bundleVersion: null };
  const timing = { totalSeconds: 60, orchestrationSeconds: 37.6, queuedSeconds, stackStartToLiveSeconds: null };
  const shown = { ref: { releaseId: 'r', model: 'm' }, progress, error: null, url: 'http://ui', approve: '' };
  return releaseText({ ...shown, more: { retries: [], queued, timing } } as never, false);
};

it('a time in the queue is told from work', () => {
  expect(text('Released', 36.9)).toContain(
    'took 60.0 s, of which orchestration 37.6 s, 36.9 s of that waiting for a free worker\n',
  );
  expect(text('Released', 0.04)).toContain('of which orchestration 37.6 s\n');
});

it('a release that goes on says what it waits for, and no time that its history does not have yet', () => {
  const waiting = text('Running', 0, [{ activity: 'train', since: new Date(Date.now() - 61_000).toISOString() }]);
  expect(waiting).toMatch(/^… train waits for a free worker, 1m 0\ds so far\nrelease r: Running\n/);
  expect(waiting).not.toContain('took');
});
