import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

it('package-lock.json names the packages of every platform: `npm ci` refuses one that does not', () => {
  const text = readFileSync(projectPath('package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});
