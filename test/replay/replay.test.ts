import { readdirSync, readFileSync } from 'node:fs';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { bundleWorkflows } from '../support/workflow-environment.js';

const directory = projectPath('test', 'replay', 'histories');
const histories = readdirSync(directory).filter((name) => name.endsWith('.json'));

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
    const missing = ends.filter((end) => !histories.includes(`${end}-release.json`));
    expect(missing).toEqual([]);
    expect(histories).toContain('rolled-back-rollout.json');
    expect(histories).toContain('rolled-back-by-hand-rollback.json');
  });

  it.each(histories)('%s', async (name) => {
    const history: unknown = JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'));
    await Worker.runReplayHistory({ workflowBundle }, history);
  });
});
