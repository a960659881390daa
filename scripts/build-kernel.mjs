// Compiles the scorer's tree kernel, from AssemblyScript to WebAssembly: `node scripts/build-kernel.mjs [OUT.wasm]`. Part of `npm run build`.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = 'scoring/bundles/kernel';
const out = resolve(process.argv[2] ?? `${root}/dist/${folder}/trees.wasm`);
mkdirSync(dirname(out), { recursive: true });
const options = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd'];
const compiler = `${root}/node_modules/assemblyscript/bin/asc.js`;
// asc takes paths from where it runs
const { status } = spawnSync(process.execPath, [compiler, `${folder}/trees.as.ts`, '--outFile', out, ...options], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
