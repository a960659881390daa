import { setTimeout as delay } from 'node:timers/promises';
import type { Generator } from '../load/generator.js';
import type { LoadOrder, LoadResult } from '../load/protocol.js';
import { cpuSeconds, watchOthers } from '../process.js';
import { say } from '../setup.js';
import { SCORERS, TITLES, type Contender, type Running } from './contenders.js';
import { listsOf, type Transaction } from './transactions.js';

export const CONNECTIONS = [16, 64] as const;
export const LIST_LENGTH = 1_000;
const LISTS = 8;
const LIST_CONNECTIONS = 2;
/** before each load, and once before all */
const WARMUP_SECONDS = 1;
const FIRST_SECONDS = 3;
/** of a contender's own maximum */
const SHARE_OF_MAXIMUM = 0.7;

/** What a load generator saw, and what the server used for it. */
export interface Measured extends LoadResult {
  /** share of its core: below 1 without a rate, others used the core as well */
  serverCpu: number;
  /** share of the server's core that went to others */
  othersCpu: number;
  /** µs of a core for a request */
  cpuPerRequest: number;
}

/** What one contender did in one round; null where it was not asked. */
export interface Figures {
  /** requests/s by number of connections */
  single: Record<(typeof CONNECTIONS)[number], Measured>;
  /** at 70 % of the maximum, requests evenly spaced, and as independent clients would come */
  paced: Record<'even' | 'poisson', Measured> | null;
  lists: Measured | null;
}
export type Round = Record<Contender, Figures>;

const isScorer = (name: Contender): boolean => (SCORERS as readonly Contender[]).includes(name);

/** So that nobody's first measured requests are those that a compiler still works on. */
export async function warmUp(
  running: readonly Running[],
  generator: Generator,
  transactions: readonly Transaction[],
): Promise<void> {
  for (const server of running) {
    const bodies = transactions.map((transaction) => server.body([transaction]));
    const load = { bodies, connections: 64, rate: null, arrivals: 'even', expected: null } as const;
    await generator.run({ ...load, port: server.port, path: server.path, warmupSeconds: 0, seconds: FIRST_SECONDS });
    await settled(server);
  }
}

/** All contenders once, each with all of its loads, beginning with another one each round. */
export async function measureRound(
  round: number,
  running: readonly Running[],
  generator: Generator,
  transactions: readonly Transaction[],
  seconds: number,
): Promise<Round> {
  const figures: Partial<Round> = {};
  for (let at = 0; at < running.length; at += 1) {
    const server = running[(at + round) % running.length] as Running;
    const measured = await measure(server, generator, transactions, seconds);
    figures[server.name] = measured;
    const [few, many] = CONNECTIONS.map((count) => Math.round(measured.single[count].perSecond));
    const rows = measured.lists === null ? '' : `, lists ${Math.round(measured.lists.perSecond * LIST_LENGTH)} rows/s`;
    const late = measured.paced === null ? '' : `, p50/p99 at 70 % ${shortLatency(measured.paced.even)}`;
    say(`round ${round + 1}: ${TITLES[server.name]}: ${few} and ${many} requests/s${rows}${late}`);
  }
  return figures as Round;
}

async function measure(
  server: Running,
  generator: Generator,
  transactions: readonly Transaction[],
  seconds: number,
): Promise<Figures> {
  const singles = transactions.map((transaction) => server.body([transaction]));
  const base = { port: server.port, path: server.path, warmupSeconds: WARMUP_SECONDS, expected: null };
  const run = async (order: Pick<LoadOrder, 'bodies' | 'connections' | 'rate' | 'arrivals'>): Promise<Measured> => {
    const before = await cpuSeconds(server.pid);
    const others = await watchOthers(server.pid, server.cores);
    const result = await generator.run({ ...base, seconds, ...order });
    const othersCpu = await others();
    await settled(server);
    const whole = WARMUP_SECONDS + seconds;
    const serverCpu = ((await cpuSeconds(server.pid)) - before) / whole;
    return { ...result, serverCpu, othersCpu, cpuPerRequest: (serverCpu * 1e6) / result.perSecond };
  };
  const closed = { rate: null, arrivals: 'even' } as const;
  const single: Partial<Figures['single']> = {};
  for (const connections of CONNECTIONS) single[connections] = await run({ bodies: singles, connections, ...closed });
  const found = single as Figures['single'];
  if (!isScorer(server.name)) return { single: found, paced: null, lists: null };

  const rate = found[64].perSecond * SHARE_OF_MAXIMUM;
  const paced = { bodies: singles, connections: 64, rate };
  const even = await run({ ...paced, arrivals: 'even' });
  const poisson = await run({ ...paced, arrivals: 'poisson' });
  const bodies = listsOf(transactions, LISTS, LIST_LENGTH).map((list) => server.body(list));
  const lists = await run({ bodies, connections: LIST_CONNECTIONS, ...closed });
  return { single: found, paced: { even, poisson }, lists };
}

function shortLatency({ latency }: LoadResult): string {
  return `${latency.p50.toFixed(2)}/${latency.p99.toFixed(2)} ms`;
}

/** A scorer whose log still has rows to write would take time from whoever is next. */
async function settled(server: Running): Promise<void> {
  if (server.name !== 'sluiceLogged') return;
  while ((await predictionLog(server)).pending > 0) await delay(50);
}

export interface PredictionLog {
  written: number;
  dropped: number;
  pending: number;
}

export async function predictionLog(server: Running): Promise<PredictionLog> {
  const response = await fetch(`http://127.0.0.1:${server.port}/v1/health`);
  return ((await response.json()) as { prediction_log: PredictionLog }).prediction_log;
}
