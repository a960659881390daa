import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';

/** A terminal's and a diff's width. Prettier wraps prose at it; what it cannot wrap are tables. */
const COLUMNS = 120;
/** Rooms whose direct subfolders have a README of their own as well. */
const ROOMS_OF_ROOMS = ['activities', 'domain', 'stack', 'stores', 'test'];
const NO_ROOMS = ['node_modules', 'dist', 'reports'];

const root = projectPath();
const documents = below(root).filter((path) => path.endsWith('.md'));

function below(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) return [path];
    return NO_ROOMS.includes(entry.name) || entry.name.startsWith('.') ? [] : below(path);
  });
}

function foldersOf(directory: string): string[] {
  return readdirSync(projectPath(directory), { withFileTypes: true })
    .filter(({ name }) => !NO_ROOMS.includes(name) && !name.startsWith('.'))
    .flatMap((entry) => (entry.isDirectory() ? [join(directory, entry.name)] : []));
}

/** The lines outside code fences, with their numbers. */
function prose(text: string): { line: string; number: number }[] {
  let fenced = false;
  return text.split('\n').flatMap((line, at) => {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      return [];
    }
    return fenced ? [] : [{ line, number: at + 1 }];
  });
}

describe('Markdown', () => {
  it(`has no line over ${COLUMNS} columns outside code fences, addresses of links not counted`, () => {
    const long = documents.flatMap((path) =>
      prose(readFileSync(path, 'utf8'))
        .filter(({ line }) => [...line.replace(/\]\([^)]*\)/g, ']()')].length > COLUMNS)
        .map(({ number }) => `${relative(root, path)}:${number}`),
    );
    expect(long).toEqual([]);
  });

  it('links only to files that exist', () => {
    const broken = documents.flatMap((path) =>
      prose(readFileSync(path, 'utf8')).flatMap(({ line, number }) =>
        [...line.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
          .map(([, target]) => target as string)
          .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)))
          .map((target) => `${relative(root, path)}:${number} ${target}`),
      ),
    );
    expect(broken).toEqual([]);
  });

  it('lists every decision in docs/README.md, by number and title', () => {
    const decisions = readdirSync(projectPath('docs', 'decisions')).map((name) => {
      const title = readFileSync(projectPath('docs', 'decisions', name), 'utf8').split('\n')[0] as string;
      return `- [${title.replace(/^# (\d{4}) · (.*)$/, `$1](decisions/${name}): $2`)}`;
    });
    const index = readFileSync(projectPath('docs', 'README.md'), 'utf8').replace(/\n {2}(?=\S)/g, ' ');
    expect(index.split('\n').filter((line) => line.includes('(decisions/0'))).toEqual(decisions.sort());
  });

  it('stands as a README in every folder that a newcomer meets', () => {
    const rooms = [...foldersOf('.'), ...ROOMS_OF_ROOMS.flatMap(foldersOf)];
    expect(rooms.filter((room) => !existsSync(projectPath(room, 'README.md')))).toEqual([]);
  });
});
