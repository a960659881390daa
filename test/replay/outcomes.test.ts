import { expect, it } from 'vitest';
import * as workflows from '../../workflows/index.js';
import { endOf, HISTORIES, readHistory, workflowTypeOf } from './history.js';
import { ENDS } from './outcomes.js';

const ended = HISTORIES.map((name) => {
  const history = readHistory(name);
  return { type: workflowTypeOf(history), ...endOf(history) };
});

it('lists every workflow that a worker runs', () => {
  expect(ENDS.flatMap(({ types }) => types).sort()).toEqual(Object.keys(workflows).sort());
});

it.each(ENDS.flatMap(({ types }) => types))('a run of %s is among the frozen histories', (type) => {
  expect(ended.map((one) => one.type)).toContain(type);
});

it.each(ENDS.map((one) => [one.types[0], one] as const))(
  'every outcome and every failure of %s is',
  (_, { types, outcomes, failures }) => {
    const mine = ended.filter(({ type }) => types.includes(type));
    expect(outcomes.filter((outcome) => !mine.some((one) => one.outcome === outcome))).toEqual([]);
    expect(failures.filter((failure) => !mine.some((one) => one.failure === failure))).toEqual([]);
  },
);

it('no history ended in a way that is not listed', () => {
  const strangers = ended.filter(({ type, outcome, failure }) => {
    const known = ENDS.find(({ types }) => types.includes(type));
    // Runs that fail at once say no status, and those of before 24 November 2026 say none as they end.
    return known === undefined || ![...known.outcomes, 'failed', 'Failed', 'completed'].includes(outcome)
      ? true
      : failure !== null && !known.failures.includes(failure) && failure !== 'InvalidInput';
  });
  expect(strangers).toEqual([]);
});
