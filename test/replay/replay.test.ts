import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflows } from '../support/workflow-environment.js';
import { HISTORIES, readHistory, type History } from './history.js';

const ENDS = {
  release: [
    'released',
    'approved',
    'rejected',
    'timed-out',
    'gate-failed',
    'rolled-back',
    'superseded',
    'cancelled',
    'released-holding',
    'approved-telling',
    'gate-failed-telling',
    'rolled-back-holding',
    'refused',
    'overridden',
    'refused-attempts',
    'approved-compared',
  ],
  rollout: [
    'released',
    'rolled-back',
    'released-holding',
    'rolled-back-holding',
    'refused',
    'lease-receipt',
    'silent-replica',
    'settled',
    'unsettled',
  ],
  rollback: ['rolled-back-by-hand', 'rolled-back-by-hand-holding', 'rolled-back-by-hand-telling'],
  refresh: [
    'refreshed',
    'made',
    'unchanged',
    'incomplete',
    'failed',
    'held-approved',
    'held-rejected',
    'held-expired',
    'overtaken',
    'rebased',
    'rolled-back',
    'cancelled',
    'refreshed-holding',
    'made-holding',
    'held-approved-holding',
    'held-approved-telling',
  ],
  thresholds: [
    'approved',
    'edited',
    'rejected',
    'expired',
    'superseded',
    'rolled-back',
    'no-feedback',
    'approved-holding',
    'approved-telling',
    'superseded-telling',
    'overridden',
  ],
  drift: ['none', 'alerted', 'retraining', 'cooling-down', 'inconclusive', 'failed', 'weekly', 'retraining-holding'],
  launch: ['completed', 'found', 'losses', 'paused', 'waiting', 'losses-telling', 'paused-telling'],
  prune: ['by-hand', 'refused', 'scheduled', 'by-hand-holding'],
  alerts: ['tested'],
  notification: ['delivered'],
  'expert-file': ['published', 'refused'],
  'import-labels': ['finished', 'continued', 'refused'],
  'delete-transactions': ['deleted', 'refused'],
  pin: ['pinned', 'unpinned', 'refused'],
  'apply-schedules': ['applied', 'refused'],
};

/** A run's id is part of the ids of the notifications that it hands over. */
const idOf = ({ events: [started] }: History): string | undefined =>
  started?.workflowExecutionStartedEventAttributes?.workflowId || undefined;

// Invariant 10: every workflow that ever ran replays on today's code. Histories are never made anew; changed code uses `patched()`.
describe('replay gate', () => {
  let workflowBundle: WorkflowBundle;
  /** what went wrong with each, all of them on one worker: it takes longer to start than a history to replay */
  const failures = new Map<string, Error | undefined>();
  beforeAll(async () => {
    workflowBundle = await bundleWorkflows();
    let name = '';
    function* histories() {
      for (name of HISTORIES) {
        const history = readHistory(name);
        yield { workflowId: idOf(history) ?? name, history };
      }
    }
    // one after the other: the next is read when the former's result was taken
    for await (const { error } of Worker.runReplayHistories({ workflowBundle }, histories())) failures.set(name, error);
  });

  it.each(Object.entries(ENDS))('has every way in which a %s run can end', (kind, ends) => {
    expect(ends.filter((end) => !HISTORIES.includes(`${end}-${kind}.bin`))).toEqual([]);
  });

  it.each(HISTORIES)('%s', (name) => {
    expect(failures.has(name), 'was replayed').toBe(true);
    expect(failures.get(name)).toBeUndefined();
  });

  it('notices code that does something else than the history did', async () => {
    const history = readHistory('released-release.bin');
    const scheduled = history.events.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'train',
    );
    Object.assign(scheduled?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'trainOtherwise' });
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toThrow(DeterminismViolationError);
  });
});
