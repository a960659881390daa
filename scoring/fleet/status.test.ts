import { describe, expect, it } from 'vitest';
import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';
import type { ServingStatus } from '../serving/serving.js';
import { together } from './status.js';

const log: PredictionLogStatus = {
  written: 5,
  dropped: 1,
  pending: 2,
  failed_batches: 3,
  error: null,
  dropping: false,
};
const up: ServingStatus = {
  generation: 4,
  serves: true,
  models: true,
  kernelRefusal: null,
  away: 0,
  predictionLog: null,
};
const down: ServingStatus = { ...up, generation: null, serves: false, models: false };

describe('several processes as one', () => {
  it('one alone is as it says, in the generation that control knows', () =>
    expect(together([up], 7)).toEqual({ ...up, generation: 7 }));

  it.each([
    ['all are up', [up, up], { serves: true, models: true, away: 0 }],
    ['one is up', [down, up], { serves: true, models: true, away: 0 }],
    ['one is up, one away', [null, up], { serves: true, models: true, away: 1 }],
    ['one serves without models, the other has models', [{ ...up, models: false }, up], { serves: true, models: true }],
    ['none is up', [down, down], { serves: false, models: false, away: 0 }],
    ['all are away', [null, null], { serves: false, models: false, away: 2, predictionLog: null }],
    ['there is none', [], { serves: false, models: false, away: 0, predictionLog: null }],
  ])('%s', (_what, answers, expected) => expect(together(answers, 1)).toMatchObject(expected));

  it('says why one of them has no kernel', () => {
    expect(together([up, { ...up, kernelRefusal: 'x' }, up], 1).kernelRefusal).toBe('x');
    expect(together([up, up], 1).kernelRefusal).toBeNull();
  });

  it('adds up what was logged, and keeps what is wrong with one log', () => {
    const broken = { ...log, error: 'down', dropping: true };
    const of = (...logs: (PredictionLogStatus | null)[]) =>
      together([null, ...logs.map((predictionLog) => ({ ...up, predictionLog }))], 1).predictionLog;
    expect(of(log, broken, log)).toEqual({
      written: 15,
      dropped: 3,
      pending: 6,
      failed_batches: 9,
      error: 'down',
      dropping: true,
    });
    expect(of(log, null)).toEqual(log);
    expect(of(null, null)).toBeNull();
  });
});
