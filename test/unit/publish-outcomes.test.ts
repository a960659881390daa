import { ApplicationFailure, noopMetricMeter } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeSystem } from '../support/fake-system.js';
import type { RolloutInput, RolloutOutcome, RolloutResult } from '../../workflows/rolloutBundle/contract.js';

/** What stands in for Temporal: a run's own answers, and the fake system behind every proxy. */
interface World {
  activities: object;
  queries: Map<string, () => unknown>;
  patched: boolean;
  rollout: (input: RolloutInput) => RolloutResult;
}
const world = vi.hoisted((): World => ({
  activities: {},
  queries: new Map(),
  patched: true,
  rollout: () => {
    throw new Error('no test has said how the rollout ends');
  },
}));

vi.mock('@temporalio/workflow', async (original) => ({
  ...(await original<Record<string, unknown>>()),
  workflowInfo: () => ({ workflowId: 'the-workflow', runId: 'the-run' }),
  setHandler: ({ name }: { name: string }, handler: () => unknown) => world.queries.set(name, handler),
  setCurrentDetails: () => undefined,
  upsertSearchAttributes: () => undefined,
  patched: () => world.patched,
  condition: () => Promise.resolve(true),
  log: { warn: () => undefined },
  metricMeter: noopMetricMeter,
  CancellationScope: {
    nonCancellable: (work: () => Promise<unknown>) => work(),
    current: () => ({ consideredCancelled: false }),
  },
}));
vi.mock('../../workflows/common/proxies.js', () => {
  const proxy = new Proxy(world, { get: ({ activities }, name) => Reflect.get(activities, name) as unknown });
  return { shortCalls: proxy, bulkIo: proxy, refreshJobs: proxy, training: proxy };
});
vi.mock(import('../../workflows/common/notify.js'), async (original) => ({
  ...(await original()),
  handOver: (_model: string, notification: unknown) =>
    (Reflect.get(world.activities, 'notify') as (given: unknown) => Promise<void>)(notification),
}));
vi.mock('../../workflows/rolloutBundle/run.js', () => ({
  runRollout: (input: RolloutInput) => Promise.resolve(world.rollout(input)),
}));
vi.mock('../../workflows/approval/gate.js', () => ({
  ApprovalGate: class {
    decide = (_policy: unknown, opened: (deadline: string) => void) => {
      opened('2025-07-02T00:00:00.000Z');
      const at = '2025-07-01T00:00:00.000Z';
      return Promise.resolve({ verdict: 'approve', actor: 'grace', reason: 'fine', at, edits: null });
    };
  },
}));

const { FakeRefresh } = await import('../support/fake-refresh.js');
const { FakeSystem: System } = await import('../support/fake-system.js');
const { FakeThresholds } = await import('../support/fake-thresholds.js');
const { recalibrateThresholds } = await import('../../workflows/recalibrateThresholds/workflow.js');
const { refreshFxRates } = await import('../../workflows/refreshFxRates/workflow.js');
const { releaseModel } = await import('../../workflows/releaseModel/workflow.js');
const { rollbackRelease } = await import('../../workflows/rollbackRelease/workflow.js');
const { MAX_ROUNDS } = await import('../../workflows/publish/publish.js');

const MODEL = 'ulb_gbdt';
const BEFORE = '20250601-120000-1.0.0-0a1b2c3';
const LIVE = '20250615-120000-1.0.0-0a1b2c3';
const RIVAL = '20250630-120000-1.0.0-0a1b2c3';
const caller = { actor: 'ada', reason: 'a test' };
const asked = { model: MODEL, asOf: '2025-06-30T00:00:00.000Z', caller };

let system: FakeSystem;
let notified: string[];
let rollouts: RolloutInput[];

beforeEach(() => {
  system = new System();
  system.registry.set('0', { stage: 'Production', runId: 'run' });
  notified = [];
  rollouts = [];
  world.patched = true;
  world.queries.clear();
  world.activities = system.activities;
  Object.assign(system.activities, {
    notify: ({ severity, title }: { severity: string; title: string }) => {
      notified.push(`${severity}: ${title}`);
      return Promise.resolve();
    },
  });
});
afterEach(() => vi.restoreAllMocks());

/** Every workflow that publishes a bundle, run from its beginning on a system where `LIVE` is live. */
const PUBLISHERS = {
  release: () => {
    system.goLive(LIVE);
    return releaseModel({ ...asked, releaseId: 'r1' });
  },
  refresh: () => {
    system.goLive(LIVE);
    Object.assign(system.activities, new FakeRefresh(system).activities);
    return refreshFxRates({ ...asked, key: '2025-06-30' });
  },
  thresholds: () => {
    const thresholds = new FakeThresholds(system, '');
    // who may ask for it is not asked here
    const { authorizeRequest } = system.activities;
    thresholds.install();
    Object.assign(system.activities, { authorizeRequest });
    thresholds.goLive(LIVE);
    return recalibrateThresholds({ ...asked, key: '2025-06-30' });
  },
  rollback: () => {
    system.goLive(BEFORE);
    system.goLive(LIVE);
    const to = { environment: 'production' as const, version: BEFORE };
    return rollbackRelease({ model: MODEL, releaseId: 'b1', caller, ...to });
  },
};
type Publisher = keyof typeof PUBLISHERS;

interface End {
  status: string;
  /** the failure's type, where the run fails */
  throws?: string;
  /** severities of what the publisher itself sends after its rollout has begun; the rollout sends its own */
  notifies?: ('info' | 'warning' | 'critical')[];
}

/** Rollouts that end as one does, and a bundle that loses the first round and wins the second. */
type Case = RolloutOutcome | 'base-moved, then live';

/** The table of docs/decisions/0018: a new outcome or a new publisher does not compile until it has its row or column. */
const ENDS: Record<Case, Record<Publisher, End>> = {
  live: {
    release: { status: 'Released', notifies: ['info'] },
    refresh: { status: 'Refreshed' },
    thresholds: { status: 'Live', notifies: ['info'] },
    rollback: { status: 'RolledBack', notifies: ['info'] },
  },
  'base-moved, then live': {
    release: { status: 'Released', notifies: ['info'] },
    refresh: { status: 'Refreshed' },
    thresholds: { status: 'Live', notifies: ['info'] },
    rollback: { status: 'RolledBack', notifies: ['info'] },
  },
  'base-moved': {
    release: { status: 'Superseded', notifies: ['warning'] },
    refresh: { status: 'Superseded', notifies: ['warning'] },
    thresholds: { status: 'Superseded', notifies: ['warning'] },
    rollback: { status: 'Superseded', throws: 'Superseded', notifies: ['warning'] },
  },
  overtaken: {
    release: { status: 'Superseded', notifies: ['warning'] },
    refresh: { status: 'Superseded', notifies: ['warning'] },
    thresholds: { status: 'Superseded', notifies: ['warning'] },
    rollback: { status: 'Superseded', throws: 'Superseded', notifies: ['warning'] },
  },
  undone: {
    release: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    refresh: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    thresholds: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    rollback: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
  },
  'nothing-to-restore': {
    release: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    refresh: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    thresholds: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
    rollback: { status: 'Failed', throws: 'RolloutFailed', notifies: ['critical'] },
  },
};

/** How many rollouts there are, and what the reason must say to a person, whichever publisher it is. */
const CASES: Record<Case, { rollouts: number; says: RegExp | null }> = {
  live: { rollouts: 1, says: null },
  'base-moved, then live': { rollouts: 2, says: null },
  'base-moved': { rollouts: MAX_ROUNDS, says: /other changes went live first 5 times; start again/ },
  overtaken: { rollouts: 1, says: new RegExp(`rollout of .+ failed: vector 3 differs; ${RIVAL} has gone live since`) },
  undone: { rollouts: 1, says: new RegExp(`rollout of .+ failed: vector 3 differs; ${LIVE} is live again`) },
  'nothing-to-restore': {
    rollouts: 1,
    says: /rollout of .+ failed: vector 3 differs; there was no former bundle to go back to/,
  },
};

/** Makes every rollout end like this. The pointer follows, as it would. */
function rolloutsEnd(end: Case): void {
  world.rollout = (input) => {
    // What was sent until here asked for decisions.
    if (rollouts.push(input) === 1) notified = [];
    const outcome = end !== 'base-moved, then live' ? end : rollouts.length === 1 ? 'base-moved' : 'live';
    if (outcome === 'live') system.goLive(input.bundle.version);
    if (outcome === 'base-moved' || outcome === 'overtaken') {
      const { pointer } = system;
      // The rival scores like what was live: only the race is lost.
      system.pointer = { ...(pointer as NonNullable<typeof pointer>), generation: (pointer?.generation ?? 0) + 1 };
    }
    const why = { live: 'is live', 'base-moved': `${RIVAL} is live, not ${LIVE}` };
    const because = outcome === 'live' || outcome === 'base-moved' ? why[outcome] : 'vector 3 differs';
    return {
      outcome,
      verdict: outcome === 'live' ? 'Successful' : 'Failed',
      generation: system.pointer?.generation ?? null,
      liveVersion: system.pointer?.version ?? null,
      receipts: [],
      why: outcome === 'overtaken' ? `${because}; ${RIVAL} has gone live since` : because,
      steps: [],
    };
  };
}

async function endOf(publisher: Publisher): Promise<End & { why: string | null; generation: number | null }> {
  let thrown: unknown = null;
  await PUBLISHERS[publisher]().catch((error: unknown) => (thrown = error));
  if (thrown !== null && !(thrown instanceof ApplicationFailure)) throw thrown as Error;
  // A rollback has no status of its own but that of its report.
  const report = system.reports.at(-1);
  const shown =
    publisher === 'rollback'
      ? { status: report?.status, why: report?.reason, generation: report?.generation }
      : (world.queries.get('progress')?.() as { status: string; why: string | null; generation: number | null });
  const severities = notified.map((one) => one.split(':')[0] as 'info' | 'warning' | 'critical');
  return {
    status: String(shown.status),
    ...(thrown === null ? {} : { throws: String(thrown.type) }),
    ...(severities.length === 0 ? {} : { notifies: severities }),
    why: shown.why ?? null,
    generation: shown.generation ?? null,
  };
}

const cells = (Object.keys(ENDS) as Case[]).flatMap((end) =>
  (Object.keys(PUBLISHERS) as Publisher[]).map((publisher) => [end, publisher] as const),
);

describe('how a rollout’s outcome ends its publisher', () => {
  it.each(cells)('%s: %s', async (end, publisher) => {
    rolloutsEnd(end);
    const { why, generation, ...ended } = await endOf(publisher);
    expect(ended).toEqual(ENDS[end][publisher]);
    const { says, rollouts: expected } = CASES[end];
    if (says !== null) expect(why).toMatch(says);
    // Only what went live has a generation of its own.
    expect(generation).toBe(ended.status === ENDS.live[publisher].status ? system.pointer?.generation : null);
    expect(rollouts).toHaveLength(expected);
  });

  it.each(['refresh', 'rollback'] as const)(
    'a %s that began on the former code ends as that would have',
    async (one) => {
      world.patched = false;
      rolloutsEnd('base-moved');
      const { status, throws, notifies } = await endOf(one);
      if (one === 'refresh')
        expect({ status, throws, notifies }).toEqual({
          status: 'Failed',
          throws: 'RolloutFailed',
          notifies: ['critical'],
        });
      else expect(rollouts).toHaveLength(1);
    },
  );

  it('a rollback to the last good bundle is not repeated: what is live is not what the operator saw', async () => {
    rolloutsEnd('base-moved');
    system.goLive(BEFORE);
    Object.assign(system.activities, {
      lastGoodBundle: () => ({ version: BEFORE, manifestSha256: `sha of ${BEFORE}` }),
    });
    system.goLive(LIVE);
    await expect(
      rollbackRelease({
        model: MODEL,
        environment: 'production',
        releaseId: 'b2',
        version: null,
        caller,
      }),
    ).rejects.toMatchObject({ type: 'Superseded', message: expect.stringContaining(`${RIVAL} is live, not ${LIVE}`) });
    expect(rollouts).toHaveLength(1);
  });

  it('a rollout that ends in a way this code does not know is nobody’s success', async () => {
    rolloutsEnd('paused' as Case);
    await expect(endOf('release')).rejects.toThrow('a rollout ended as paused');
  });
});
