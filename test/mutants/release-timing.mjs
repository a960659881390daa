const timing = { file: 'client/release/timing.ts', tests: ['client/release/timing.test.ts'] };

/** @type {{ name: string, file: string, find: string, replace: string, tests: string[] }[]} */
export default [
  {
    ...timing,
    name: 'what overlaps counts twice',
    find: 'if (to > end) total += to - Math.max(from, end);',
    replace: 'total += to - from;',
  },
  {
    ...timing,
    name: 'an interval inside another ends both',
    find: 'end = Math.max(end, to);',
    replace: 'end = to;',
  },
  {
    ...timing,
    name: 'intervals are taken in the order in which they end',
    find: '[...intervals].sort((a, b) => a.from - b.from)',
    replace: '[...intervals].sort((a, b) => a.to - b.to)',
  },
  {
    ...timing,
    name: 'work during a wait counts as waiting, too',
    find: 'unionMs([...activities, ...own.timers]) - busy;',
    replace: 'unionMs(own.timers);',
  },
  {
    ...timing,
    name: "the rollouts' work is not counted",
    find: '[own, ...children].flatMap((one) => one.activities)',
    replace: 'own.activities',
  },
  {
    ...timing,
    name: 'the work of a rollout that still runs counts for more than the whole release',
    find: 'to: Math.min(to, span.to)',
    replace: 'to',
  },
  {
    ...timing,
    name: 'activities that failed took no time',
    find: '      event.activityTaskFailedEventAttributes ??\n',
    replace: '',
  },
  {
    ...timing,
    name: 'a wait that a decision cut short is not counted',
    find: 'event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes',
    replace: 'event.timerFiredEventAttributes',
  },
  {
    ...timing,
    name: 'the time before a later attempt counts as a queue',
    find: 'if (begun.attempt <= 1)',
    replace: 'if (begun.attempt <= 3)',
  },
];
