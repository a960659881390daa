import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';

interface Mutant {
  name: string;
  file: string;
  find: string;
  tests: string[];
}

// `npm run test:mutants` takes minutes; that its lists fit the code is seen here, in the commit that moves a line.
describe.each(readdirSync(projectPath('test', 'mutants')).filter((file) => file.endsWith('.mjs')))(
  'mutants of %s',
  async (list) => {
    const { default: mutants } = (await import(pathToFileURL(projectPath('test', 'mutants', list)).href)) as {
      default: Mutant[];
    };
    it.each(mutants)('$name: its text is there once, and its tests are there', ({ file, find, tests }) => {
      expect(readFileSync(projectPath(file), 'utf8').split(find)).toHaveLength(2);
      expect(tests.filter((test) => !existsSync(projectPath(test)))).toEqual([]);
    });
  },
);
