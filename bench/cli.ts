import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { projectPath } from '../platform/project.js';
import { ensureTemporal } from '../stack/install/temporal.js';
import { readStackEnv } from '../stack/status.js';

// How long a command takes: `npm run bench:cli [-- --state-dir DIR] [--rounds N]`. Every round runs every contender once, so that they meet the machine in
// the same state; the first round warms up and is not counted. Without a running stack's directory it starts one of its own.

const TARGET_SECONDS = { 'sluice --help': 0.5, 'sluice --version': 0.5, 'sluice status': 1, 'sluice release list': 1 };
const { values: options } = parseArgs({
  options: { 'state-dir': { type: 'string' }, rounds: { type: 'string', default: '15' } },
});

const own = options['state-dir'] === undefined ? await mkdtemp(join(tmpdir(), 'sluice-bench-')) : null;
const stateDir = options['state-dir'] ?? join(own ?? '', '.sluice');
const sluice = (...words: string[]): [string, string[]] => [
  process.execPath,
  [projectPath('bin', 'sluice.mjs'), '--state-dir', stateDir, ...words],
];

try {
  if (own !== null) await execa(...sluice('up', '--detach'), { stdio: ['ignore', 'ignore', 'inherit'] });
  const address = readStackEnv(stateDir)?.['TEMPORAL_ADDRESS'];
  if (address === undefined) throw new Error(`no stack is running in ${stateDir}`);
  const contenders: Record<string, [string, string[]]> = {
    'node -e 0': [process.execPath, ['-e', '0']],
    'temporal workflow list': [
      // the one that the stack runs its server with
      await ensureTemporal({ env: process.env, log: () => {} }),
      ['workflow', 'list', '--address', address],
    ],
    'sluice --help': sluice('--help'),
    'sluice --version': sluice('--version'),
    'sluice status': sluice('status'),
    'sluice release list': sluice('release', 'list'),
  };
  const seconds: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= Number(options.rounds); round += 1)
    for (const [name, [command, words]] of Object.entries(contenders)) {
      const startedAt = performance.now();
      await execa(command, words, { stdio: 'ignore' });
      if (round > 0) seconds[name]?.push((performance.now() - startedAt) / 1000);
    }
  report(seconds);
} finally {
  if (own !== null) {
    await execa(...sluice('down', '--purge'), { stdio: 'ignore', reject: false });
    await rm(own, { recursive: true, force: true });
  }
}

function report(seconds: Record<string, number[]>): void {
  const figures = Object.fromEntries(
    Object.entries(seconds).map(([name, all]) => {
      const sorted = [...all].sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
      return [name, { median: at(0.5), p10: at(0.1), p90: at(0.9) }];
    }),
  );
  for (const [name, { median, p10, p90 }] of Object.entries(figures))
    process.stdout.write(
      `${name.padEnd(24)} ${median.toFixed(3)} s   (80 % of the rounds: ${p10.toFixed(3)} to ${p90.toFixed(3)})\n`,
    );
  const median = (name: string): number => figures[name]?.median ?? NaN;
  const compared = Object.entries(TARGET_SECONDS).map(([name, target]) => ({
    command: name,
    seconds: Number(median(name).toFixed(3)),
    target,
    overNode: Number((median(name) / median('node -e 0')).toFixed(2)),
    overTemporalCli: Number((median(name) / median('temporal workflow list')).toFixed(2)),
    pass: median(name) < target,
  }));
  const pass = compared.every((one) => one.pass);
  process.stdout.write(JSON.stringify({ bench: 'cli', rounds: Number(options.rounds), compared, pass }) + '\n');
  if (!pass) process.exitCode = 1;
}
