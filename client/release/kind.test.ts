import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { expect, it } from 'vitest';
import type { StepProgress } from '../../workflows/common/progress.js';
import type { ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import type { Session } from '../session.js';
import { RELEASE } from './kind.js';
import type { MoreOfRelease } from './view.js';

const STARTED = Date.parse('2025-06-30T12:00:00Z');

/** A Temporal that knows one release, begun with the stack's start. */
const client = {
  workflow: {
    getHandle: () => ({
      describe: () => Promise.resolve({ memo: { stackStartedAt: new Date(STARTED).toISOString() }, raw: {} }),
      fetchHistory: () => Promise.resolve({ events: [{ eventTime: msToTs(STARTED) }] }),
    }),
  },
} as unknown as Client;

const step = (name: string, second: number, steps?: StepProgress[]): StepProgress => ({
  name,
  status: 'done',
  startedAt: new Date(STARTED).toISOString(),
  finishedAt: new Date(STARTED + second * 1000).toISOString(),
  detail: null,
  ...(steps === undefined ? {} : { steps }),
});

it.each([
  ['as a step of the rollout', [step('rollout', 9, [step('reload', 6), step('smoke', 7)]), step('champion', 10)]],
  ['beside the other steps, in a run of before', [step('reload', 6), step('smoke', 7), step('champion', 10)]],
])('is live when its smoke has passed: %s', async (_, steps) => {
  const progress = { steps } as unknown as ReleaseProgress;
  const more = await RELEASE.more?.({ client } as unknown as Session, 'release/m/r', progress);
  expect((more as unknown as MoreOfRelease).timing.stackStartToLiveSeconds).toBe(7);
});
