// What is checked without running the product, each check one process; scripts/test.mjs runs them.
import { readFileSync } from 'node:fs';

/** The folders of the product, as the build lists them: the one list that checks of folders go by. */
export const ROOMS = JSON.parse(readFileSync(new URL('../tsconfig.build.json', import.meta.url), 'utf8')).include;

const CACHE = 'dist/.checks';
const PYTHON = process.env['SLUICE_TEST_PYTHON'] ?? 'python3';

/** @typedef {{ name: string, command: string, args: string[] }} Check */

/** @type {(name: string, command: string, ...args: string[]) => Check} */
const check = (name, command, ...args) => ({ name, command, args });
/** A package's command, without the half second that npx takes. */
const tool = (name, path, ...args) => check(name, process.execPath, `node_modules/${path}`, ...args);
const ruff = (name, ...args) =>
  check(
    name,
    PYTHON,
    ...['-m', 'ruff', ...args, '--config', 'training/pyproject.toml'],
    ...['training', 'scripts', 'test/parity', 'bench'],
  );
const types = (...args) => tool('types', '@typescript/native/bin/tsc', '--noEmit', ...args);
const lint = tool('lint', 'oxlint/bin/oxlint', '.');

/** The slowest first, so that two at once end together. */
export const CHECKS = [
  lint,
  types(),
  tool('format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  tool('layers', 'dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.cjs', ...ROOMS),
  tool('unused', 'knip/bin/knip.js', '--no-progress'),
  check('schemas', process.execPath, 'scripts/generate-types.mjs', '--check'),
];

/** On the trainer's Python, which has the tool. */
export const PYTHON_CHECKS = [
  ruff('python lint', 'check', '--quiet'),
  ruff('python format', 'format', '--check', '--quiet'),
];

/** For the inner loop: what is unchanged is not looked at again. */
export const FAST_CHECKS = [lint, types('--incremental', '--tsBuildInfoFile', `${CACHE}/types`)];
