import { copyFile, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { aligned } from '../figures.js';
import type { Generator } from '../load/generator.js';
import { projectPath } from '../../platform/project.js';
import { startPinned } from '../process.js';
import { sluiceScorer } from './contenders.js';
import type { Transaction } from './transactions.js';

/** As V8 writes it; times in µs of the machine's monotonic clock. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  timeDeltas: number[];
  startTime: number;
}

/** Where the time of a request goes in Sluice's serving thread. */
export interface Profile {
  perSecond: number;
  /** by place, most first: µs of the thread for a request, and its share */
  places: { place: string; micros: number; share: number }[];
  /** functions of the most time of their own */
  functions: { name: string; micros: number }[];
  /** for a browser's developer tools */
  file: string;
}

interface Options {
  core: string;
  bundle: string;
  keys: string;
  directory: string;
  /** where the profile is left */
  file: string;
}

/** Sluice with the prediction log off, at 64 connections, sampled by V8, which costs it some of its speed. */
export async function profileScorer(
  { core, bundle, keys, directory, file }: Options,
  generator: Generator,
  transactions: readonly Transaction[],
  seconds: number,
): Promise<Profile> {
  const port = await getPort();
  const into = await mkdtemp(join(directory, 'profile-'));
  const env = { ARTIFACTS_DIR: bundle, SCORER_PREDICTION_LOG: 'off' };
  const scorer = sluiceScorer({ core, port, keys, stateDir: into, env });
  const server = await startPinned({ ...scorer, args: ['--cpu-prof', `--cpu-prof-dir=${into}`, ...scorer.args] });
  const load = { port, path: '/v1/score', connections: 64, rate: null, arrivals: 'even', expected: null } as const;
  const bodies = transactions.map((transaction) => JSON.stringify(transaction));
  await generator.run({ ...load, bodies, warmupSeconds: 0, seconds: 3 });
  const from = nowMicros();
  const { perSecond, requests } = await generator.run({ ...load, bodies, warmupSeconds: 0, seconds });
  const until = nowMicros();
  await server.stop();
  // the main thread's, which serves: CPU.{day}.{time}.{pid}.{thread}.{number}.cpuprofile
  const names = (await readdir(into)).filter((name) => /\.0\.\d+\.cpuprofile$/.test(name));
  const profiles = await Promise.all(
    names.map(async (name) => {
      const profile = JSON.parse(await readFile(join(into, name), 'utf8')) as CpuProfile;
      return { name, times: selfTimes(profile, from, until), profile };
    }),
  );
  // with a control process there are two: the one that worked is meant
  const busy = ({ times }: { times: Map<number, number> }): number => [...times.values()].reduce((a, b) => a + b, 0);
  const [most] = profiles.sort((a, b) => busy(b) - busy(a));
  if (most === undefined) throw new Error('the scorer left no profile');
  await copyFile(join(into, most.name), file);
  return { perSecond: Math.round(perSecond), ...summary(most.profile, most.times, requests), file };
}

/** One line for each place. */
export function profileTable({ places, functions, perSecond }: Profile): string {
  return [
    `profile at 64 connections (${perSecond} requests/s while sampled), µs of the serving thread for a request:`,
    aligned(places.map(({ place, micros, share }) => [micros.toFixed(2), `${(share * 100).toFixed(0)} %`, place])),
    'functions:',
    aligned(functions.map(({ name, micros }) => [micros.toFixed(2), name])),
  ].join('\n');
}

/** functions of V8 and Node in C++, system calls that they make included */
const NATIVE = '(native)';
/** of a thread's time: what is less is summed up */
const SMALL = 0.01;

const nowMicros = (): number => Number(process.hrtime.bigint() / 1000n);

function selfTimes({ samples, timeDeltas, startTime }: CpuProfile, from: number, until: number): Map<number, number> {
  const times = new Map<number, number>();
  let at = startTime;
  for (const [position, node] of samples.entries()) {
    const delta = timeDeltas[position] ?? 0;
    at += delta;
    if (at >= from && at < until) times.set(node, (times.get(node) ?? 0) + delta);
  }
  return times;
}

function summary({ nodes }: CpuProfile, times: Map<number, number>, requests: number) {
  const byPlace = new Map<string, number>();
  const byFunction = new Map<string, number>();
  for (const { id, callFrame } of nodes) {
    const micros = times.get(id) ?? 0;
    if (micros === 0) continue;
    const place = placeOf(callFrame);
    byPlace.set(place, (byPlace.get(place) ?? 0) + micros);
    if (place.startsWith('(') && place !== NATIVE) continue;
    const name = `${callFrame.functionName || '(anonymous)'} in ${place}`;
    byFunction.set(name, (byFunction.get(name) ?? 0) + micros);
  }
  const total = [...byPlace.values()].reduce((a, b) => a + b, 0);
  const sorted = (map: Map<string, number>) => [...map].sort(([, a], [, b]) => b - a);
  return {
    places: sorted(largest(byPlace, total * SMALL)).map(([place, micros]) => ({
      place,
      micros: micros / requests,
      share: micros / total,
    })),
    functions: sorted(byFunction)
      .slice(0, 25)
      .map(([name, micros]) => ({ name, micros: micros / requests })),
  };
}

function largest(byPlace: Map<string, number>, least: number): Map<string, number> {
  const kept = new Map([['everything else', 0]]);
  for (const [place, micros] of byPlace) {
    const name = micros < least ? 'everything else' : place;
    kept.set(name, (kept.get(name) ?? 0) + micros);
  }
  return kept;
}

/** `(program)` is what V8 knows no function for, `(idle)` is waiting, for requests or another thread; Node's and packages' modules by name; our own files by path. */
function placeOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : NATIVE;
  if (url.startsWith('wasm:')) return 'WebAssembly';
  if (url.startsWith('node:')) return url.replace(/^node:internal\/(streams|timers|process)\/?.*/, 'node:$1');
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  return packaged ?? path.replace(projectPath('dist'), '').replace(/^\//, '').replace(/\.js$/, '');
}
