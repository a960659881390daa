import { expect, it } from 'vitest';
import { notificationOf } from './events.js';
import { paddedTable } from './table.js';

const ended = { model: 'm', what: 'release r', why: 'recall is 0.5, 0.1 below 0.6', again: 'sluice release start' };

it('names model and run in the title, and the next step', () => {
  expect(notificationOf('checksFailed', 'k', 'release/m/r', ended)).toEqual({
    key: 'k',
    severity: 'warning',
    title: 'm: release r did not pass its checks',
    text: 'recall is 0.5, 0.1 below 0.6. What is live stays live.',
    whatToDo: 'Correct the cause, then `sluice release start`.',
    workflowId: 'release/m/r',
  });
});

it('says nothing of a next step where there is none', () => {
  const facts = { model: 'm', what: 'release r', version: 'b', generation: 3, figures: null };
  expect(notificationOf('wentLive', 'k', 'w', facts)).not.toHaveProperty('whatToDo');
});

it('shows a table in columns', () => {
  expect(
    paddedTable([
      ['figure', 'old', 'new'],
      ['recall', '0.7000', ''],
    ]),
  ).toBe('figure  old     new\nrecall  0.7000');
  expect(paddedTable([])).toBe('');
});
