// `npm run shape [-- DIR]`: counts what docs/shape.md compares, for this checkout or another one. The rules are always this
// checkout's, so that an older commit is held to the same ones. Only sources of the product: no tests, nothing generated.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

// Not a devDependency: `npm test` does not need it. Version 5 is a binary per platform; 4.2.3 is the last that runs on Node 20.
const JSCPD = 'jscpd@4.2.3';
const COPY = { lines: 6, tokens: 50 };
const WORKFLOW_LINES = 150;
const FILE_LINES = 340;
const FUNCTION_LINES = 100;

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = resolve(process.argv[2] ?? here);
if (!existsSync(join(root, 'tsconfig.build.json'))) {
  console.error(`${root} is not a checkout of Sluice: it has no tsconfig.build.json`);
  process.exit(2);
}
const built = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')).include;
const rooms = built.filter((room) => room !== 'bench' && room !== 'schemas');
const files = rooms.flatMap((room) => sourcesBelow(join(root, room)));

const wrongWay = importsTheWrongWay();
const found = {
  'copied blocks': copiedBlocks(),
  [`workflow.ts files over ${WORKFLOW_LINES} lines`]: files
    .filter(
      ({ path, lines }) => path.startsWith('workflows/') && path.endsWith('/workflow.ts') && lines > WORKFLOW_LINES,
    )
    .map(({ path, lines }) => `${path} (${lines})`),
  [`files over ${FILE_LINES} lines`]: files
    .filter(({ lines }) => lines > FILE_LINES)
    .map(({ path, lines }) => `${path} (${lines})`),
  [`functions over ${FUNCTION_LINES} lines`]: longFunctions(),
  'imports against the layer rules': [...new Set(wrongWay.map(({ from, to }) => `${from} → ${to}`))],
  'values of activities/ imported by client/': wrongWay
    .filter(({ rule }) => rule === 'client-imports-types-of-activities')
    .map(({ from, to }) => `${from} → ${to}`),
  'stores opened by client/': places(/\b(mongoOf|objectStoreOf)\(/, 'client/'),
  'definitions of search attributes': places(/defineSearchAttributeKey\('Sluice/),
  'files that define search attributes': filesWith(/defineSearchAttributeKey\('Sluice/),
  'definitions of the duplicate-key code': places(/\b11_?000\b/),
  'renderers of steps as Markdown': places(/\bdetail \?\? ''/, 'workflows/'),
  'default models written out': places(/'ulb_gbdt'/),
};

for (const [title, list] of Object.entries(found)) {
  console.log(`${String(list.length).padStart(4)}  ${title}`);
  for (const item of list) console.log(`        ${item}`);
}
const counts = Object.fromEntries(Object.entries(found).map(([title, list]) => [title, list.length]));
const lines = files.reduce((total, file) => total + file.lines, 0);
console.log(JSON.stringify({ root, rooms, files: files.length, lines, counts }));

function sourcesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourcesBelow(path);
    if (!entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) return [];
    const text = readFileSync(path, 'utf8');
    return [{ path: relative(root, path), text, lines: text.trimEnd().split('\n').length }];
  });
}

/** Each line of a source (below `prefix`) that the pattern matches, as `path:line`. */
function places(pattern, prefix = '') {
  return files
    .filter(({ path }) => path.startsWith(prefix))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}`] : [])),
    );
}

function filesWith(pattern) {
  return files.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

/** Runs of equal tokens in two places. Copies whose names differ are not found. */
function copiedBlocks() {
  const output = mkdtempSync(join(tmpdir(), 'sluice-shape-'));
  try {
    const size = ['--min-lines', String(COPY.lines), '--min-tokens', String(COPY.tokens)];
    const what = ['--format', 'typescript', '--ignore', '**/*.test.ts', ...rooms];
    run('npx', ['--yes', JSCPD, ...size, '--silent', '--reporters', 'json', '--output', output, ...what]);
    const { duplicates } = JSON.parse(readFileSync(join(output, 'jscpd-report.json'), 'utf8'));
    const at = ({ name, start, end }) => `${name}:${start}-${end}`;
    return duplicates.map(({ firstFile, secondFile }) => `${at(firstFile)} = ${at(secondFile)}`).sort();
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

function importsTheWrongWay() {
  const cruiser = join(here, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(here, '.dependency-cruiser.cjs');
  const out = run(process.execPath, [cruiser, '--config', config, '--output-type', 'json', ...rooms]);
  return JSON.parse(out).summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name }));
}

function longFunctions() {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-shape-'));
  const config = join(directory, 'oxlint.json');
  const rules = { 'max-lines-per-function': ['error', { max: FUNCTION_LINES }] };
  writeFileSync(config, JSON.stringify({ categories: { correctness: 'off' }, rules }));
  try {
    const oxlint = join(here, 'node_modules/oxlint/bin/oxlint');
    const out = run(process.execPath, [
      oxlint,
      '--config',
      config,
      '--format',
      'json',
      ...files.map(({ path }) => path),
    ]);
    return JSON.parse(out).diagnostics.map(
      ({ filename, labels: [{ span }], message }) =>
        `${relative(root, resolve(root, filename))}:${span.line} ${message.replace(/ Maximum.*/, '')}`,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Standard output of a program run in the checkout; both tools exit with other codes where they find something. */
function run(file, words) {
  const { error, stdout, stderr } = spawnSync(file, words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error !== undefined || stdout === '') throw new Error(`${file} ${words[0]} failed: ${error?.message ?? stderr}`);
  return stdout;
}
