// `npm test`: the checks beside Vitest's layers; the last line counts what ran: `N passed, N failed`.
//   node scripts/test.mjs            everything
//   node scripts/test.mjs --fast     types, lint, unit tests, replay: the inner loop
//   node scripts/test.mjs --lint     the checks that need no Python
//   node scripts/test.mjs WORD ...   the tests that Vitest finds by these words
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, FAST_CHECKS, PYTHON_CHECKS } from './checks.mjs';

const [mode, ...words] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const children = new Set();
let stopping = false;
// A terminal's Ctrl-C reaches every child by itself: they end first, Vitest with its servers, and then this process.
process.on('SIGINT', () => (stopping = true));
process.on('SIGTERM', () => {
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
});

if (mode === '--fast') {
  await Promise.all([runChecks(FAST_CHECKS), runTests('--project', 'unit', '--project', 'replay')]);
} else if (mode === '--lint') {
  await Promise.all([runChecks(CHECKS), runChecks(CHECKS)]);
} else if (mode === undefined) {
  // Tests wait for servers and for heartbeats: that is when the checks have the processor.
  await Promise.all([runChecks([...CHECKS, ...PYTHON_CHECKS], { inTheBackground: true }), runTests()]);
} else {
  await runTests(mode, ...words);
}
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
process.exit(failed === 0 && !stopping ? 0 : 1);

/** Takes one check after another off the list until none is left. */
async function runChecks(checks, { inTheBackground = false } = {}) {
  for (let next = checks.shift(); next !== undefined && !stopping; next = checks.shift()) {
    const { name, command, args } = next;
    const started = Date.now();
    let said = '';
    const status = await run(command, args, ['ignore', 'pipe', 'pipe'], (child) => {
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
      if (inTheBackground && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(status === 0 ? `ok     ${name} (${seconds} s)` : `${said}\nFAILED ${name} (${seconds} s)`);
    if (status === 0) passed += 1;
    else failed += 1;
  }
}

/** Runs Vitest and counts what its report says. */
async function runTests(...args) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const report = join(directory, 'report.json');
  const status = await run(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ],
    ['ignore', 'inherit', 'inherit'],
  );
  let failedTests = 0;
  try {
    const results = JSON.parse(readFileSync(report, 'utf8'));
    passed += results.numPassedTests;
    skipped += results.numPendingTests + results.numTodoTests;
    failedTests += results.numFailedTests;
    // A file that does not even load has no failed test of its own.
    failedTests += results.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    ).length;
    for (const file of results.testResults)
      for (const test of file.assertionResults)
        if (test.status === 'failed') console.log(`FAILED ${file.name}: ${test.fullName}`);
  } catch {
    failedTests += 1;
  }
  if (status !== 0 && failedTests === 0) failedTests = 1;
  failed += failedTests;
  rmSync(directory, { recursive: true, force: true });
}

/** The exit code of a child, or why there is none. */
function run(command, args, stdio, started = () => {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio });
    children.add(child);
    started(child);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => {
      children.delete(child);
      resolve(status ?? signal);
    });
  });
}
