import { setTimeout as delay } from 'node:timers/promises';
import { median, round } from '../figures.js';
import type { Generator } from '../load/generator.js';
import type { ExpectedBundle, LoadOrder, LoadResult } from '../load/protocol.js';
import { residentMb, watchOthers } from '../process.js';
import { say } from '../setup.js';
import type { ReloadWorld, Replica } from './world.js';

/** p99 with reloads ÷ idle, at most; memory after ÷ after warm-up, at most; of a soak, end ÷ beginning, at most. */
export const TARGETS = { p99OverIdle: 2, memory: 1.2, soakMemory: 1.1, soakLatency: 1.2 };

export const CONNECTIONS = 64;
const WARM_RELOADS = 20;

export interface Setting {
  world: ReloadWorld;
  replica: Replica;
  /** that the replica is pinned to */
  cores: string;
  generator: Generator;
  bodies: string[];
  expected: ExpectedBundle[];
}

function orderOf({ replica, bodies, expected }: Setting, rate: number | null, seconds: number | null): LoadOrder {
  const where = { port: replica.port, path: '/v1/score', connections: CONNECTIONS, warmupSeconds: 1 };
  return { ...where, bodies, expected, rate, seconds, arrivals: 'even' };
}

/** Requests/s that the replica answers at most, with this generator looking into each answer. */
export async function maximumRate(setting: Setting, seconds: number): Promise<number> {
  const { perSecond, failed } = await setting.generator.run({ ...orderOf(setting, null, seconds), expected: null });
  if (Object.keys(failed).length > 0) throw new Error(`requests failed: ${JSON.stringify(failed)}`);
  return perSecond;
}

export interface UnderReloads {
  rate: number;
  requests: number;
  reloads: number;
  /** why → how many; empty is the only pass */
  failed: Record<string, number>;
  /** ms, median and highest of the orders */
  reloadMs: { median: number; highest: number };
  p50: { idle: number; reloading: number };
  p99: { idle: number; reloading: number; ratio: number };
  /** requests over 20 ms: in the idle run, in all seconds that followed a swap, in the whole run with reloads */
  over20ms: { idle: number; idleSeconds: number; afterSwaps: number; reloading: number };
  worstAfterSwapMs: number;
  /** ms; what the generator itself may have added to the latencies */
  generatorLagP99: { idle: number; reloading: number };
  /** share of the replica's core that went to others: where it is not next to 0, latencies mean little */
  othersCpu: { idle: number; reloading: number };
  pass: boolean;
}

/** A rate of requests without, then with a reload every so often. */
export async function underReloads(
  setting: Setting,
  rate: number,
  { reloads, everyMs, idleSeconds }: { reloads: number; everyMs: number; idleSeconds: number },
): Promise<UnderReloads> {
  const { generator, replica, cores } = setting;
  const idleOthers = await watchOthers(replica.pid, cores);
  const idle = await generator.run(orderOf(setting, rate, idleSeconds));
  const othersCpu = { idle: round(await idleOthers()), reloading: NaN };
  const others = await watchOthers(replica.pid, cores);
  const running = generator.run(orderOf(setting, rate, null));
  await delay(2_000);
  const { took, failed, generations } = await reloadAll(setting, reloads, everyMs);
  await delay(1_500);
  generator.finish();
  const loaded = await running;
  othersCpu.reloading = round(await others());
  for (const [why, count] of [...Object.entries(idle.failed), ...Object.entries(loaded.failed)])
    failed[why] = (failed[why] ?? 0) + count;
  // each generation that was ordered must have been seen, from the bundle that it named
  const seen = new Map(loaded.swaps.map(({ generation, manifestSha256 }) => [generation, manifestSha256]));
  for (const [generation, digest] of generations)
    if (seen.get(generation) !== digest) failed['a generation not seen, or with another bundle'] = generation;

  const swaps = loaded.swaps.slice(1);
  const afterSwaps = swaps.reduce((sum, { over20ms }) => sum + over20ms, 0);
  const over20ms = { idle: idle.over20ms, idleSeconds: round(idle.seconds), afterSwaps, reloading: loaded.over20ms };
  const ratio = loaded.latency.p99 / idle.latency.p99;
  const usual = (idle.over20ms / idle.seconds) * swaps.length;
  return {
    rate: Math.round(rate),
    requests: loaded.requests,
    reloads: generations.size,
    failed,
    reloadMs: { median: round(median(took)), highest: round(Math.max(...took)) },
    p50: { idle: round(idle.latency.p50), reloading: round(loaded.latency.p50) },
    p99: { idle: round(idle.latency.p99), reloading: round(loaded.latency.p99), ratio: round(ratio) },
    over20ms,
    worstAfterSwapMs: round(Math.max(0, ...swaps.map(({ worst }) => worst))),
    generatorLagP99: { idle: round(idle.generatorLagP99), reloading: round(loaded.generatorLagP99) },
    othersCpu,
    pass: Object.keys(failed).length === 0 && ratio <= TARGETS.p99OverIdle && afterSwaps <= usual,
  };
}

/** Reloads one after the other, the bundles in turn. A reload that fails is counted, and the next one comes all the same. */
async function reloadAll(
  { world, replica }: Setting,
  reloads: number,
  everyMs: number,
  after: (reload: number) => Promise<void> = async () => {},
): Promise<{ took: number[]; failed: Record<string, number>; generations: Map<number, string> }> {
  const took: number[] = [];
  const failed: Record<string, number> = {};
  const generations = new Map<number, string>();
  const startMs = performance.now();
  for (let at = 0; at < reloads; at += 1) {
    await delay(Math.max(0, startMs + at * everyMs - performance.now()));
    const bundle = world.bundles[at % 2 === 0 ? 0 : 1];
    const generation = await world.pointTo(bundle);
    try {
      took.push(await world.reload(replica, generation));
      generations.set(generation, bundle.manifestSha256);
    } catch (error) {
      say((error as Error).message);
      failed['a reload failed'] = (failed['a reload failed'] ?? 0) + 1;
    }
    await after(at);
  }
  return { took, failed, generations };
}

export interface Memory {
  reloads: number;
  /** MB (10^6), medians of some reloads */
  warm: number;
  end: number;
  highest: number;
  ratio: number;
  failed: Record<string, number>;
  pass: boolean;
}

/** Reloads as fast as they come, at a rate of requests: what the replica's memory was after the first ones and is in the end. */
export async function memoryOverReloads(setting: Setting, rate: number, reloads: number): Promise<Memory> {
  const megabytes: number[] = [];
  const running = setting.generator.run(orderOf(setting, rate, null));
  const { failed } = await reloadAll(setting, reloads, 0, async () => {
    // the former bundle's last answers, and its close
    await delay(200);
    megabytes.push(await residentMb(setting.replica.pid));
  });
  setting.generator.finish();
  for (const [why, count] of Object.entries((await running).failed)) failed[why] = count;
  const warmFrom = Math.min(WARM_RELOADS, Math.floor(reloads / 4));
  const warm = median(megabytes.slice(warmFrom, warmFrom * 2));
  const end = median(megabytes.slice(-warmFrom));
  const ratio = end / warm;
  const pass = ratio <= TARGETS.memory && Object.keys(failed).length === 0;
  const highest = Math.round(Math.max(...megabytes));
  return { reloads, warm: Math.round(warm), end: Math.round(end), highest, ratio: round(ratio), failed, pass };
}

export interface Soak {
  minutes: number;
  rate: number;
  requests: number;
  failed: Record<string, number>;
  /** medians of the first and the last quarter, the first minute left out */
  memoryMb: Growth;
  p50: Growth;
  p99: Growth;
  othersCpu: number;
  pass: boolean;
}
interface Growth {
  first: number;
  last: number;
  ratio: number;
}

/** A steady rate for so many minutes: whether memory or latency grows. */
export async function soak(setting: Setting, rate: number, minutes: number): Promise<Soak> {
  const megabytes: number[] = [];
  const sampling = setInterval(() => {
    residentMb(setting.replica.pid).then(
      (value) => megabytes.push(value),
      () => {},
    );
  }, 1_000);
  const others = await watchOthers(setting.replica.pid, setting.cores);
  let result: LoadResult;
  try {
    result = await setting.generator.run(orderOf(setting, rate, minutes * 60));
  } finally {
    clearInterval(sampling);
  }
  const othersCpu = round(await others());
  const memoryMb = growth(megabytes);
  const p50 = growth(result.bySecond.map((second) => second.p50));
  const p99 = growth(result.bySecond.map((second) => second.p99));
  const steady = p50.ratio <= TARGETS.soakLatency && p99.ratio <= TARGETS.soakLatency;
  const { failed, requests } = result;
  const pass = Object.keys(failed).length === 0 && memoryMb.ratio <= TARGETS.soakMemory && steady;
  return { minutes, rate: Math.round(rate), requests, failed, memoryMb, p50, p99, othersCpu, pass };
}

function growth(bySecond: readonly number[]): Growth {
  const settled = bySecond.slice(Math.min(60, Math.floor(bySecond.length / 4)));
  const quarter = Math.max(1, Math.floor(settled.length / 4));
  const [first, last] = [median(settled.slice(0, quarter)), median(settled.slice(-quarter))];
  return { first: round(first), last: round(last), ratio: round(last / first) };
}
