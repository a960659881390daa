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
