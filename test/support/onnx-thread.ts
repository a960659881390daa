import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { sync as writeFileAtomicSync } from 'write-file-atomic';
import { projectPath } from '../../platform/project.js';

/**
 * `scoring/bundles/onnx/onnx-thread.ts` as JavaScript, for tests: a worker thread starts outside vitest's transforms, and `dist/` may be older
 * than the sources. The file's name carries its source's digest; it lies where `onnxruntime-node` is resolved from.
 */
export function onnxThreadFile(): URL {
  const source = readFileSync(projectPath('scoring', 'bundles', 'onnx', 'onnx-thread.ts'), 'utf8');
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const directory = projectPath('node_modules', '.cache', 'sluice');
  const file = `${directory}/onnx-thread-${digest}.mjs`;
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true });
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
    writeFileAtomicSync(file, ts.transpileModule(source, { compilerOptions: options }).outputText);
  }
  return pathToFileURL(file);
}
