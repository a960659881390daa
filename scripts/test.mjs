// `npm test`: hygiene first (seconds), then Vitest's three projects. The last line counts what ran: `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const only = process.argv.slice(2);
const python = process.env['SLUICE_TEST_PYTHON'] ?? 'python3';
const ruff = (...words) => [
  '-m',
  'ruff',
  ...words,
  '--config',
  'training/pyproject.toml',
  'training',
  'scripts',
  'test/parity',
  'bench',
];
const checks = [
  ['types', 'npx', ['tsc', '--noEmit']],
  ['lint', 'npx', ['eslint', '.']],
  ['format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']],
  [
    'layers',
    'npx',
    [
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      'activities',
      'client',
      'domain',
      'ingest',
      'platform',
      'schedules',
      'scoring',
      'stack',
      'stores',
      'workers',
      'workflows',
    ],
  ],
  ['unused', 'npx', ['knip', '--no-progress']],
  ['python lint', python, ruff('check', '--quiet')],
  ['python format', python, ruff('format', '--check', '--quiet')],
  ['schemas', process.execPath, ['scripts/generate-types.mjs', '--check']],
];

let passed = 0;
let failed = 0;
if (only.length === 0) {
  await Promise.all([takeTurns(), takeTurns()]);
}

/** One check after another until none is left; two of these at once fill two cores. */
async function takeTurns() {
  for (let next = checks.shift(); next !== undefined; next = checks.shift()) {
    const [name, command, args] = next;
    const started = Date.now();
    let said = '';
    const status = await new Promise((resolve) => {
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
      child.on('error', (error) => resolve(error.message)).on('close', resolve);
    });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(status === 0 ? `ok     ${name} (${seconds} s)` : `${said}\nFAILED ${name} (${seconds} s)`);
    if (status === 0) passed += 1;
    else failed += 1;
  }
}

const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const report = join(directory, 'report.json');
const vitest = spawnSync(
  'npx',
  ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...only],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
let skipped = 0;
try {
  const results = JSON.parse(readFileSync(report, 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped = results.numPendingTests + results.numTodoTests;
  // A file that does not even load has no failed test of its own.
  failed += results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  for (const file of results.testResults)
    for (const test of file.assertionResults)
      if (test.status === 'failed') console.log(`FAILED ${file.name}: ${test.fullName}`);
} catch {
  failed += 1;
}
if (vitest.status !== 0 && failed === 0) failed = 1;
rmSync(directory, { recursive: true, force: true });

console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
process.exit(failed === 0 ? 0 : 1);
