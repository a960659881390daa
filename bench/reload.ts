import { parseArgs } from 'node:util';
import { coresOf, DEFAULT_CORES } from './cores.js';
import { startGenerator, type Generator } from './load/generator.js';
import { expectedOf } from './reload/expected.js';
import { maximumRate, memoryOverReloads, soak, TARGETS, underReloads, type Setting } from './reload/phases.js';
import { startWorld, type ReloadWorld, type Replica } from './reload/world.js';
import { ensureBundles } from './scoring/bundles.js';
import { say } from './setup.js';

// A replica whose bundle is swapped under load: `npm run bench:reload`. README.md says what is measured and how.

const QUIET_RATE = 200;

const { values: options } = parseArgs({
  options: {
    reloads: { type: 'string', default: '100' },
    every: { type: 'string', default: '2' },
    idle: { type: 'string', default: '60' },
    'memory-reloads': { type: 'string', default: '300' },
    soak: { type: 'string' },
    cores: { type: 'string', default: DEFAULT_CORES },
  },
});
const [reloads, everySeconds, idleSeconds, memoryReloads, soakMinutes] = [
  options.reloads,
  options.every,
  options.idle,
  options['memory-reloads'],
  options.soak ?? '20',
].map(Number) as [number, number, number, number, number];
const cores = coresOf(options.cores);
const numbers = [reloads, everySeconds, idleSeconds, memoryReloads, soakMinutes];
if (cores === null || !numbers.every((value) => value >= 0))
  throw new Error(
    'usage: npm run bench:reload -- [--reloads N] [--every SECONDS] [--idle SECONDS] [--memory-reloads N] [--soak MINUTES] [--cores REPLICA:LOAD:SERVERS]',
  );

const bundles = await ensureBundles();
let world: ReloadWorld | undefined;
let generator: Generator | undefined;
const replicas: Replica[] = [];
try {
  const started = (world = await startWorld(bundles, { replica: cores.server, servers: cores.others }));
  await started.pointTo(started.bundles[0]);
  generator = await startGenerator(cores.load);
  const newReplica = async (): Promise<Replica> => {
    await replicas.pop()?.stop();
    const replica = await started.startReplica();
    replicas.push(replica);
    return replica;
  };
  const replica = await newReplica();
  const { bodies, expected } = await expectedOf(started, replica);
  const setting: Setting = { world: started, replica, cores: cores.server, generator, bodies, expected };
  await maximumRate(setting, 3);
  const maximum = await maximumRate(setting, 5);
  say(`at most ${Math.round(maximum)} requests/s; ${bodies.length} transactions that the bundles score differently`);
  const about = { bench: 'reload', cores: options.cores, maximum: Math.round(maximum), targets: TARGETS };

  if (options.soak !== undefined) {
    const result = await soak(setting, maximum / 2, soakMinutes);
    finish({ ...about, soak: result, pass: result.pass });
  } else {
    const under = [];
    for (const rate of [QUIET_RATE, maximum / 2]) {
      const how = { reloads, everyMs: everySeconds * 1000, idleSeconds };
      const result = await underReloads(setting, rate, how);
      say(JSON.stringify(result));
      under.push(result);
    }
    // a process that has had no reload yet
    const memory = await memoryOverReloads({ ...setting, replica: await newReplica() }, QUIET_RATE, memoryReloads);
    finish({ ...about, under, memory, pass: under.every(({ pass }) => pass) && memory.pass });
  }
} finally {
  await generator?.stop();
  for (const replica of replicas) await replica.stop();
  await world?.stop();
}

function finish(line: { pass: boolean } & Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
  process.exitCode = line.pass ? 0 : 1;
}
