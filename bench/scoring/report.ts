import { aligned, median, round } from '../figures.js';
import { CONTENDERS, SCORERS, TITLES, type Contender } from './contenders.js';
import { CONNECTIONS, LIST_LENGTH, type Measured, type Round } from './measure.js';

/** Requests/s ÷ a contender's, at least, at each number of connections; p99 ÷ p50 at 70 % of the maximum, at most; rows/s of lists, at least. */
export const TARGETS = { fastapi: 8, mlserver: 10, node: 0.55, nodeLogged: 0.45, p99OverP50: 2, listRows: 100_000 };

/** from this share of its core on, the generator is what was measured */
const GENERATOR_FULL = 0.95;

export interface Judged {
  what: string;
  /** median of the rounds' own */
  figure: number;
  /** of the rounds */
  lowest: number;
  highest: number;
  target: number;
  at: 'least' | 'most';
  pass: boolean;
}

/** Ratios against the targets. Each is the median of the rounds' own, whose parts ran within a minute of each other. */
export function judge(rounds: readonly Round[]): { judged: Judged[]; pass: boolean } {
  const judged: Judged[] = [];
  const add = (what: string, figures: readonly number[], at: Judged['at'], target: number): void => {
    const figure = median(figures);
    const pass = at === 'least' ? figure >= target : figure <= target;
    const [lowest, highest] = [round(Math.min(...figures)), round(Math.max(...figures))];
    judged.push({ what, figure: round(figure), lowest, highest, target, at, pass });
  };
  for (const connections of CONNECTIONS) {
    const ratio = (ours: Contender, theirs: Contender): number[] =>
      rounds.map((one) => one[ours].single[connections].perSecond / one[theirs].single[connections].perSecond);
    const versus = (title: string): string => `Sluice ÷ ${title}, ${connections} connections`;
    add(versus('FastAPI'), ratio('sluice', 'fastapi'), 'least', TARGETS.fastapi);
    add(versus('MLServer'), ratio('sluice', 'mlserver'), 'least', TARGETS.mlserver);
    add(versus('node:http'), ratio('sluice', 'node'), 'least', TARGETS.node);
    add(versus('node:http, log on'), ratio('sluiceLogged', 'node'), 'least', TARGETS.nodeLogged);
  }
  const spread = rounds.map(({ sluice: { paced } }) =>
    paced === null ? NaN : paced.even.latency.p99 / paced.even.latency.p50,
  );
  add('p99 ÷ p50 at 70 % of the maximum', spread, 'most', TARGETS.p99OverP50);
  const rows = rounds.map(({ sluice: { lists } }) => (lists?.perSecond ?? NaN) * LIST_LENGTH);
  add('lists of 1,000, rows/s', rows, 'least', TARGETS.listRows);
  return { judged, pass: judged.every(({ pass }) => pass) };
}

/** Requests that failed, and loads whose generator was full: either makes a run worthless, whatever its ratios. */
export function faults(rounds: readonly Round[]): string[] {
  return rounds.flatMap((one, at) =>
    CONTENDERS.flatMap((name) =>
      loadsOf(one, name).flatMap(([load, result]) => {
        const where = `round ${at + 1}, ${TITLES[name]}, ${load}`;
        const failed = Object.entries(result.failed).map(([why, count]) => `${where}: ${count} × ${why}`);
        const full = !load.includes('70 %') && result.generatorCpu > GENERATOR_FULL;
        return full ? [...failed, `${where}: the generator used ${percent(result.generatorCpu)} of its core`] : failed;
      }),
    ),
  );
}

/** of a server's core: when others used more, what was measured is theirs as well */
const OTHERS_TOO_MUCH = 0.1;
/** of all loads; the median of five rounds stands some, and no more, whichever way the ratios went */
const NOISY_TOO_MANY = 0.1;

/** What others on the machine did to a run. */
export interface Noise {
  loads: number;
  /** loads beside which others used over 10 % of the core */
  noisy: number;
  /** the most that they used */
  worst: number;
  /** few enough loads were noisy for the run to say anything */
  quiet: boolean;
}

export function noise(rounds: readonly Round[]): Noise {
  const shares = rounds.flatMap((one) =>
    CONTENDERS.flatMap((name) => loadsOf(one, name).map(([, { othersCpu }]) => othersCpu)),
  );
  const noisy = shares.filter((share) => share > OTHERS_TOO_MUCH).length;
  const quiet = noisy <= shares.length * NOISY_TOO_MANY;
  return { loads: shares.length, noisy, worst: round(Math.max(...shares)), quiet };
}

function loadsOf(one: Round, name: Contender): [string, Measured][] {
  const { single, paced, lists } = one[name];
  return [
    ...CONNECTIONS.map((count): [string, Measured] => [`${count} connections`, single[count]]),
    ...(paced === null
      ? []
      : ([
          ['even at 70 %', paced.even],
          ['Poisson at 70 %', paced.poisson],
        ] as [string, Measured][])),
    ...(lists === null ? [] : ([['lists', lists]] as [string, Measured][])),
  ];
}

/** One line per contender: the medians of the rounds. */
export function table(rounds: readonly Round[]): string {
  const heads = [
    'one core',
    ...CONNECTIONS.map((count) => `${count} conn. /s`),
    'p99 ms',
    ...['70 %: p50', 'p99', 'Poisson p99', 'lists rows/s', 'µs/request', 'server', 'generator'],
  ];
  const lines = CONTENDERS.map((name) => {
    const over = (pick: (one: Round[Contender]) => number | undefined): number =>
      median(rounds.map((one) => pick(one[name]) ?? NaN));
    const whole = (value: number): string => (Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en-US'));
    const ms = (value: number): string => (Number.isNaN(value) ? '' : value.toFixed(2));
    return [
      TITLES[name],
      ...CONNECTIONS.map((count) => whole(over(({ single }) => single[count].perSecond))),
      ms(over(({ single }) => single[64].latency.p99)),
      ms(over(({ paced }) => paced?.even.latency.p50)),
      ms(over(({ paced }) => paced?.even.latency.p99)),
      ms(over(({ paced }) => paced?.poisson.latency.p99)),
      whole(over(({ lists }) => (lists === null ? undefined : lists.perSecond * LIST_LENGTH))),
      over(({ single }) => single[64].cpuPerRequest).toFixed(0),
      percent(over(({ single }) => single[64].serverCpu)),
      percent(over(({ single }) => single[64].generatorCpu)),
    ];
  });
  return aligned([heads, ...lines]);
}

/** One line per target. */
export function verdicts(judged: readonly Judged[]): string {
  return aligned([
    ['target', 'median', 'rounds', 'wanted', ''],
    ...judged.map(({ what, figure, lowest, highest, target, at, pass }) => [
      what,
      String(figure),
      `${lowest} to ${highest}`,
      `${at === 'least' ? '≥' : '≤'} ${target}`,
      pass ? 'pass' : 'MISSED',
    ]),
  ]);
}

/** The figures of every round, for the line of JSON and the plot. */
export function compact(rounds: readonly Round[]) {
  return Object.fromEntries(
    CONTENDERS.map((name) => [
      name,
      {
        title: TITLES[name],
        ...Object.fromEntries(
          CONNECTIONS.map((count) => [
            `at${count}`,
            rounds.map((one) => Math.round(one[name].single[count].perSecond)),
          ]),
        ),
        cpuPerRequest: rounds.map((one) => round(one[name].single[64].cpuPerRequest)),
        ...((SCORERS as readonly Contender[]).includes(name)
          ? {
              p50At70: rounds.map((one) => round(one[name].paced?.even.latency.p50 ?? NaN)),
              p99At70: rounds.map((one) => round(one[name].paced?.even.latency.p99 ?? NaN)),
              poissonP99At70: rounds.map((one) => round(one[name].paced?.poisson.latency.p99 ?? NaN)),
              listRows: rounds.map((one) => Math.round((one[name].lists?.perSecond ?? NaN) * LIST_LENGTH)),
            }
          : {}),
      },
    ]),
  );
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
