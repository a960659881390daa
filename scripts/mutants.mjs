// `npm run test:mutants`: plants the mistakes listed in test/mutants/*.mjs, one at a time, and sees whether the named unit tests notice.
// It works in copies of the checkout, which stays as it is. One line a mutant; the last line is JSON. Exit code 1 if any mutant survives,
// if a text to replace is not there exactly once, or if the tests fail without any mutant.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const LANES = 2;
/** far above what the tests take, even on a busy machine: a mutant that hangs is noticed, too */
const HANGS_AFTER_MS = 300_000;
const NOT_COPIED = ['node_modules', 'dist', '.git', '.sluice', 'reports'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
    process.exit(130);
  });

const killed = [];
const survived = [];
const invalid = [];
try {
  const mutants = await listed(process.argv.slice(2));
  const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
  const lanes = Array.from({ length: LANES }, (_, lane) => copyOf(`lane-${lane}`));
  const missing = tests.filter((test) => !existsSync(join(root, test)));
  const untouched = await run(lanes[0], tests);
  if (missing.length > 0) {
    invalid.push(...missing);
    console.log(`INVALID  no such test: ${missing.join(', ')}`);
  } else if (!untouched.passed) {
    invalid.push('without any mutant');
    console.log(`INVALID  the tests fail without any mutant: ${untouched.why}`);
  } else {
    await Promise.all(lanes.map((copy) => takeTurns(copy, mutants)));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(JSON.stringify({ killed: killed.length, survived, invalid }));
process.exit(survived.length + invalid.length === 0 && killed.length > 0 ? 0 : 1);

/** Every mutant of every list, or of the lists that are named (`scoring`). */
async function listed(only) {
  const directory = join(root, 'test', 'mutants');
  const files = readdirSync(directory).filter((file) => file.endsWith('.mjs'));
  const chosen = files.filter((file) => only.length === 0 || only.includes(basename(file, '.mjs')));
  const lists = await Promise.all(chosen.map((file) => import(pathToFileURL(join(directory, file)).href)));
  return lists.flatMap((list) => list.default);
}

function copyOf(name) {
  const copy = join(scratch, name);
  cpSync(root, copy, { recursive: true, filter: (path) => !NOT_COPIED.includes(relative(root, path)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function takeTurns(copy, mutants) {
  for (let mutant = mutants.shift(); mutant !== undefined; mutant = mutants.shift()) {
    const { name, file, find, replace, tests } = mutant;
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    const times = source.split(find).length - 1;
    if (times !== 1) {
      invalid.push(name);
      console.log(`INVALID  ${file}: ${name}: its text is there ${times} times`);
      continue;
    }
    // A function, so that `$` in the text means nothing.
    writeFileSync(
      path,
      source.replace(find, () => replace),
    );
    const { passed, noticed, why } = await run(copy, tests);
    writeFileSync(path, source);
    if (passed) survived.push(name);
    else if (noticed) killed.push(name);
    else invalid.push(name);
    console.log(
      `${passed ? 'SURVIVED' : noticed ? 'killed  ' : 'INVALID '} ${file}: ${name}${passed ? '' : ` (${why})`}`,
    );
  }
}

/**
 * Runs unit test files in a copy.
 * @returns `noticed`: a test ran and failed, or never came to an end; a mutant that does not even compile is not noticed but wrong
 */
async function run(copy, tests) {
  const report = join(copy, 'mutant-report.json');
  rmSync(report, { force: true });
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'unit',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const child = spawn(process.execPath, [...args, ...tests], {
    cwd: copy,
    stdio: 'ignore',
    timeout: HANGS_AFTER_MS,
    killSignal: 'SIGKILL',
  });
  children.add(child);
  const { code, signal } = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: error.message, signal: null }));
    child.on('close', (exit, by) => resolve({ code: exit, signal: by }));
  });
  children.delete(child);
  if (code === 0) return { passed: true, noticed: false, why: '' };
  if (signal !== null) return { passed: false, noticed: true, why: `hung for ${HANGS_AFTER_MS / 1000} s` };
  try {
    const files = JSON.parse(readFileSync(report, 'utf8')).testResults;
    const failed = files.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed');
    const why =
      failed?.fullName ??
      files
        .map(({ message }) => message)
        .join(' ')
        .trim();
    return { passed: false, noticed: failed !== undefined, why };
  } catch (error) {
    return { passed: false, noticed: false, why: error.message };
  }
}
