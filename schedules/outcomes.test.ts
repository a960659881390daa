import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FAILURES } from '../platform/errors.js';
import { projectPath } from '../platform/project.js';
import { outcomeOfFailure } from '../domain/schedules/outcome.js';
import { OUTCOMES, type ScheduledJob } from '../workflows/launchScheduled/contract.js';
import { ENDS as DRIFT } from '../workflows/monitorDrift/contract.js';
import { ENDS as PRUNE } from '../workflows/pruneArtifacts/contract.js';
import { ENDS as THRESHOLDS } from '../workflows/recalibrateThresholds/contract.js';
import { REFRESH_ENDS } from '../workflows/refresh/contract.js';
import { ENDS as RELEASE } from '../workflows/releaseModel/contract.js';
import { desiredSchedule } from './desired.js';
import { REGISTRY } from './registry.js';

const README = readFileSync(projectPath('schedules', 'README.md'), 'utf8');
/** Every row whose first cell is in code, as cells. */
const rows = README.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

// `Made` is the end of a job inside a night; a daily comparison keeps no snapshot, and a weekly one compares nothing.
const refresh = REFRESH_ENDS.filter((end) => end !== 'Made');
const ENDS: Record<ScheduledJob, readonly string[]> = {
  nightlyRefresh: refresh,
  fxRates: refresh,
  drift: DRIFT.filter((end) => end !== 'Recorded'),
  driftSnapshot: DRIFT.filter((end) => end === 'Recorded' || end === 'Inconclusive'),
  thresholds: THRESHOLDS,
  retraining: RELEASE,
  prune: PRUNE,
};

it.each(REGISTRY)('the README says how runs of $name end, and what pauses it', (entry) => {
  const { pauseOnFailure } = desiredSchedule(entry, 'm', 0).policies;
  const ends = ENDS[entry.job].filter((end) => end !== 'Failed');
  expect(rows.find(([, name]) => name === entry.name)?.slice(2, 4)).toEqual([
    ends.join(', '),
    pauseOnFailure === true ? 'pauses' : 'goes on',
  ]);
});

it('the README says which failures stop no schedule', () => {
  const goesOn = OUTCOMES.filter((outcome) => outcome !== 'completed' && outcome !== 'waiting-for-approval');
  expect(rows.map(([, name]) => name)).toEqual([...REGISTRY.map(({ name }) => name), ...goesOn]);
  for (const outcome of goesOn.filter((one) => one !== 'cancelled')) {
    const types = Object.keys(FAILURES).filter((type) => outcomeOfFailure(type) === outcome);
    const [said = ''] = (rows.find(([, name]) => name === outcome)?.[2] ?? '').split(':');
    expect(said.split(', ').sort(), outcome).toEqual(types.sort());
  }
});
