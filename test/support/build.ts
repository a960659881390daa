import { readFileSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectPath } from '../../platform/project.js';

/** When a file, or anything below a folder but its tests, was changed last; 0 where there is none. What was deleted shows in its folder's own time. */
async function changedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found === null || path.endsWith('.test.ts')) return 0;
  const below = found.isDirectory() ? await readdir(path) : [];
  return Math.max(found.mtimeMs, ...(await Promise.all(below.map((name) => changedAt(join(path, name))))));
}
const newest = async (paths: readonly string[]): Promise<number> =>
  Math.max(...(await Promise.all(paths.map((path) => changedAt(projectPath(path))))));

/** Whether a product of the build is newer than the files and folders that it is made of. Paths are from the project's root. */
export async function isBuiltSince(product: string, ...sources: readonly string[]): Promise<boolean> {
  return (await newest([product])) > (await newest(sources));
}

/** What says when all of `dist/` was compiled: `npm test` and `npm start`, `npm run build`, a test. */
const STAMPS = ['dist/.built', 'dist/.tsbuildinfo', 'dist/.compiled'];

/** Compiles the sources to `dist/` for tests that start our processes, unless that is as new as they are: `npm test` has built already. Types are checked elsewhere. */
export async function ensureBuilt(): Promise<void> {
  const { include } = JSON.parse(readFileSync(projectPath('tsconfig.build.json'), 'utf8')) as { include: string[] };
  if ((await newest(STAMPS)) > (await newest([...include, 'tsconfig.build.json', 'package-lock.json']))) return;
  const tsc = projectPath('node_modules', '@typescript', 'native', 'bin', 'tsc');
  await execa(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--incremental', 'false', '--tsBuildInfoFile', 'null'],
    { cwd: projectPath() },
  );
  await execa(process.execPath, [projectPath('scripts', 'build-kernel.mjs')]);
  await writeFile(projectPath('dist', '.compiled'), '');
}
