import { expect, it } from 'vitest';
import { isUnsettled, outcomeOfFailure } from './outcome.js';

it.each([
  ['GateFailed', 'checks-failed'],
  ['DataCheckFailed', 'checks-failed'],
  ['NoData', 'no-data'],
  ['Conflict', 'overtaken'],
  ['Superseded', 'overtaken'],
  ['cancelled', 'cancelled'],
  ['RolloutFailed', null],
  ['IntegrityError', null],
  ['TrainingFailed', null],
  ['toString', null],
  [null, null],
] as const)('a run that failed with %s: %s', (type, outcome) => {
  expect(outcomeOfFailure(type)).toBe(outcome);
});

it('a day without an answer is asked again, one with an answer is not', () => {
  expect(['NothingLive', 'NotEnoughFeedback', 'Inconclusive', 'Live', 'Unchanged', null].filter(isUnsettled)).toEqual([
    'NothingLive',
    'NotEnoughFeedback',
    'Inconclusive',
  ]);
});
