import { describe, expect, it } from 'vitest';
import { conclude } from './conclude.js';
import { JOBS, type ArtifactOutcome, type JobProgress } from './contract.js';

const job = (index: number, outcome: ArtifactOutcome | null): JobProgress => ({
  job: JOBS[index] as JobProgress['job'],
  state: outcome === null ? 'failed' : 'done',
  error: outcome === null ? 'down' : null,
  artifacts:
    outcome === null
      ? []
      : [
          {
            job: JOBS[index] as JobProgress['job'],
            lookup: `lookup${index}`,
            file: 'f.json',
            objectKey: '',
            versionKey: '',
            sha256: '',
            version: '1',
            asOf: '',
            rows: 1,
            state: 'changed',
            checks: [],
            notes: [],
            outcome,
          },
        ],
});
const of = (outcomes: (ArtifactOutcome | null)[], decidedBy: string | null = null, why: string | null = null) =>
  conclude({ jobs: outcomes.map((outcome, i) => job(i, outcome)), decidedBy, why });

describe('how a refresh ended', () => {
  it('is the worst that happened, and why lists all of it', () => {
    expect(of(['live', 'live', 'unchanged', 'live'])).toEqual({ status: 'Refreshed', why: null });
    expect(of(['unchanged', 'unchanged']).status).toBe('Unchanged');
    expect(of([null, 'rejected', 'live', 'older'], 'grace')).toEqual({
      status: 'Incomplete',
      why: 'merchantFrequency (down) failed; lookup1 rejected by grace, not published; lookup3 older than what is live, not published',
    });
    expect(of(['live', 'rejected'], 'grace').status).toBe('Rejected');
    expect(of(['live', 'expired']).status).toBe('Expired');
  });

  it('is superseded where nothing went live because newer is, or where somebody approved what then was older', () => {
    expect(of(['older', 'unchanged']).status).toBe('Superseded');
    expect(of(['older', 'live'])).toEqual({
      status: 'Refreshed',
      why: 'lookup0 older than what is live, not published',
    });
    expect(of(['older', 'live'], 'grace').status).toBe('Superseded');
  });

  it('is superseded where other changes went live first, also where something else of it is live', () => {
    expect(of(['superseded', 'superseded'], null, 'start again')).toEqual({
      status: 'Superseded',
      why: 'lookup0, lookup1 not published: start again',
    });
    expect(of(['superseded', 'live', 'older'], 'grace', 'start again')).toEqual({
      status: 'Superseded',
      why: 'lookup0 not published: start again; lookup2 older than what is live, not published',
    });
    expect(of(['superseded', 'rejected'], 'grace', 'start again').status).toBe('Rejected');
  });
});
