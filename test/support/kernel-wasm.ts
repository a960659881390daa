import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { projectPath } from '../../platform/project.js';

/**
 * The scorer's tree kernel as WebAssembly, for tests that run from TypeScript: `dist/` may be older than the sources. Compiled once for
 * a source and a way of compiling it, which the file's name carries.
 */
export function kernelWasm(): URL {
  const script = projectPath('scripts', 'build-kernel.mjs');
  const digest = createHash('sha256');
  for (const file of [projectPath('scoring', 'bundles', 'kernel', 'trees.as.ts'), script])
    digest.update(readFileSync(file));
  const directory = projectPath('node_modules', '.cache', 'sluice');
  const file = `${directory}/trees-${digest.digest('hex').slice(0, 12)}.wasm`;
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true });
    const own = `${file}.${process.pid}`;
    execFileSync(process.execPath, [script, own]);
    renameSync(own, file);
  }
  return pathToFileURL(file);
}
