// `npm start`, `npm test` and `npm run test:fast` from a fresh clone: checks Node, installs the npm packages, builds, and goes on in this same process
// (so that Ctrl-C and exit codes are the command's own). Plain JavaScript without dependencies: it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 20];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  fail(
    `Sluice needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. Install one from https://nodejs.org.`,
  );
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const [command, ...args] = process.argv.slice(2);
if (!['start', 'test', 'test:fast'].includes(command ?? ''))
  fail('usage: node scripts/bootstrap.mjs start|test|test:fast [arguments]');
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

mkdirSync(at('dist'), { recursive: true });
const unlock = await lock(at('dist', '.bootstrap.lock'));
try {
  installPackages();
  // the unit tests run from the sources, and replaying bundles what it needs
  if (command !== 'test:fast') build();
} finally {
  unlock();
}

if (command === 'start') {
  process.argv = [process.argv[0], at('dist', 'client', 'main.js'), 'start', ...args];
  await import('../dist/client/main.js');
} else {
  process.chdir(root);
  if (command === 'test') await installTools();
  process.argv = [process.argv[0], at('scripts', 'test.mjs'), ...(command === 'test:fast' ? ['--fast'] : args)];
  await import('./test.mjs');
}

/** npm ci, unless node_modules holds exactly what package-lock.json asks for. */
function installPackages() {
  if (packagesMatch()) return;
  step('installing npm packages', 'about 30 s', npm(), ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    // its install script would fetch GPU libraries from outside; the CPU library is in the package
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  });
}

/** Compares the lock file with the one npm keeps of what it installed. */
function packagesMatch() {
  let wanted;
  let installed;
  try {
    wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
    installed = JSON.parse(readFileSync(at('node_modules', '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const same = Object.entries(installed).every(([path, { integrity }]) => wanted[path]?.integrity === integrity);
  // what is missing may only be what this platform does not need
  return (
    same &&
    Object.entries(wanted).every(
      ([path, { optional }]) => path === '' || installed[path] !== undefined || optional === true,
    )
  );
}

/** npm run build, unless every source is as it was at the last build. */
function build() {
  const sources = JSON.parse(readFileSync(at('tsconfig.build.json'), 'utf8')).include;
  const files = sources.flatMap((directory) => (existsSync(at(directory)) ? filesBelow(directory) : []));
  files.push('tsconfig.json', 'tsconfig.build.json', 'package-lock.json');
  const state = files.sort().map((file) => {
    const { size, mtimeMs } = statSync(at(file));
    return `${file} ${size} ${mtimeMs}`;
  });
  const stamp = at('dist', '.built');
  const digest = createHash('sha256').update(state.join('\n')).digest('hex');
  const last = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : { digest: '', files: [] };
  if (last.digest === digest && existsSync(at('dist', 'client', 'main.js'))) return;
  if (last.files.some((file) => !files.includes(file))) {
    // what was compiled from a source that is gone must not be found any more
    for (const entry of readdirSync(at('dist')))
      if (entry !== '.bootstrap.lock') rmSync(at('dist', entry), { recursive: true });
  }
  step('building', 'about 30 s the first time', npm(), ['run', 'build', '--silent']);
  writeFileSync(stamp, JSON.stringify({ digest, files }));
}

function filesBelow(directory) {
  return readdirSync(at(directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(path);
    return /\.(ts|mjs|json)$/.test(path) && !path.endsWith('.test.ts') ? [path] : [];
  });
}

/** The servers and the Python that the integration and system tests run on. */
async function installTools() {
  const { installAll } = await import('../dist/stack/install/all.js');
  try {
    // scripts/test.mjs lints the Python sources with the tool in there
    process.env['SLUICE_TEST_PYTHON'] = await installAll({
      env: process.env,
      log: ({ part, message }) => console.error(`${part}: ${message}`),
    });
  } catch (error) {
    fail(error.message);
  }
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}

/** Runs one step in the checkout; shows what it said only if it fails. */
function step(title, estimate, file, parameters, env = {}) {
  const startedMs = Date.now();
  console.error(`${title} (${estimate})`);
  const { status, signal, error, stdout, stderr } = spawnSync(file, parameters, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (signal !== null) {
    unlock();
    process.exit(130);
  }
  if (status !== 0) {
    unlock();
    fail(`${title} failed${error === undefined ? '' : `: ${error.message}`}\n${stdout ?? ''}${stderr ?? ''}`);
  }
  console.error(`${title}: done in ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
}

/** One bootstrap at a time in a checkout; one left by a process that is gone does not count. */
async function lock(path) {
  for (let reported = false; ; reported = true) {
    try {
      const file = openSync(path, 'wx');
      writeFileSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (holder > 0 ? !isAlive(holder) : ageMs > 5_000) rmSync(path, { force: true });
    else {
      if (!reported) console.error(`waiting for process ${holder}, which installs and builds in this checkout`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
