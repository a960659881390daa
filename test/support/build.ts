import { stat } from 'node:fs/promises';
import { execa } from 'execa';
import { projectPath } from '../../platform/project.js';

/** Compiles the sources of this moment to `dist/`, for tests that start our processes. Types are checked elsewhere. */
export async function buildDist(): Promise<void> {
  const tsc = projectPath('node_modules', 'typescript', 'bin', 'tsc');
  await execa(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--incremental', 'false', '--tsBuildInfoFile', 'null'],
    { cwd: projectPath() },
  );
}

/** Builds only when one of these sources (paths from the project's root) is newer than what was built of it: `npm test` has built already. */
export async function ensureBuilt(...sources: readonly string[]): Promise<void> {
  const modified = async (...path: string[]): Promise<number> =>
    (await stat(projectPath(...path)).catch(() => null))?.mtimeMs ?? 0;
  const stale = await Promise.all(
    sources.map(async (source) => (await modified(source)) > (await modified('dist', source.replace(/\.ts$/, '.js')))),
  );
  if (stale.includes(true)) await buildDist();
}
