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

const day = { model: 'm', what: 'drift' as const, day: '2025-06-30', key: '2025-06-30', why: 'amount moved' };

it.each([
  [
    'points to the retraining that drift started',
    { staleHours: null, coolingUntil: null },
    /Retraining r1 was started/,
    /sluice release watch r1/,
  ],
  [
    'says when the next retraining may start',
    { staleHours: null, coolingUntil: '2025-07-03' },
    /No retraining was started: the last one was r1, and the next may start from 2025-07-03/,
    /sluice drift show 2025-06-30\. If the change is real/,
  ],
  [
    'points to the prediction log where data has stopped coming, also when a retraining was started',
    { staleHours: 30.4, coolingUntil: null },
    /Retraining r1 was started/,
    /the newest row is 30 hours old/,
  ],
])('%s', (_what, facts, text, whatToDo) => {
  const sent = notificationOf('lastingDrift', 'k', 'w', { ...day, ...facts, releaseId: 'r1' });
  expect(sent).toMatchObject({ severity: 'critical', title: 'm: drift as of 2025-06-30' });
  expect(sent.text).toMatch(text);
  expect(sent.whatToDo).toMatch(whatToDo);
});

it('says why a replica is silent where it is known', () => {
  const replica = { model: 'm', environment: 'production', replicaId: 'a', address: 'h:1', version: 'b' };
  const text = (why: string | null) => notificationOf('replicaSilent', 'k', 'w', { ...replica, why }).text;
  expect(text(null)).toContain('(h:1) and does not answer. The rollout of b goes on without it');
  expect(text('timed out')).toContain('does not answer (timed out).');
});

it('lists what was put right before what could not be', () => {
  const facts = { model: 'm', environment: 'staging', mended: ['a was archived'], why: 'MLflow is down' };
  expect(notificationOf('leftoversUnsettled', 'k', 'w', facts).text).toBe(
    'a was archived. MLflow is down. Look at what is live in staging; `sluice rollback` goes back to the last good bundle.',
  );
});
