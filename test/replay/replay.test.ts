import { readdirSync, readFileSync } from 'node:fs';
import proto from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { bundleWorkflows } from '../support/workflow-environment.js';

const directory = projectPath('test', 'replay', 'histories');
const histories = readdirSync(directory).filter((name) => name.endsWith('.bin'));

// Invariant 10: every workflow that ever ran replays on today's code. Histories are never made anew; changed code uses `patched()`.
describe('replay gate', () => {
  let workflowBundle: WorkflowBundle;
  beforeAll(async () => {
    workflowBundle = await bundleWorkflows();
  });

  it('cannot be empty: every way a release can end is there', () => {
    const ends = [
      'released',
      'approved',
      'rejected',
      'timed-out',
      'gate-failed',
      'rolled-back',
      'superseded',
      'cancelled',
    ];
    const missing = ends.filter((end) => !histories.includes(`${end}-release.bin`));
    expect(missing).toEqual([]);
    expect(histories).toContain('rolled-back-rollout.bin');
    expect(histories).toContain('rolled-back-by-hand-rollback.bin');
    const refreshes = [
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
    ];
    expect(refreshes.filter((end) => !histories.includes(`${end}-refresh.bin`))).toEqual([]);
  });

  it('has every way a drift run can end', () => {
    const ends = ['none', 'alerted', 'retraining', 'cooling-down', 'inconclusive', 'failed', 'weekly'];
    expect(ends.filter((end) => !histories.includes(`${end}-drift.bin`))).toEqual([]);
  });

  it.each(histories)('%s', async (name) => {
    const history = proto.temporal.api.history.v1.History.decode(readFileSync(`${directory}/${name}`));
    await Worker.runReplayHistory({ workflowBundle }, history);
  });

  it('notices code that does something else than the history did', async () => {
    const history = proto.temporal.api.history.v1.History.decode(readFileSync(`${directory}/released-release.bin`));
    const scheduled = history.events.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'train',
    );
    Object.assign(scheduled?.activityTaskScheduledEventAttributes?.activityType ?? {}, { name: 'trainOtherwise' });
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).rejects.toThrow(DeterminismViolationError);
  });
});
