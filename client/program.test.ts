import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectPath } from '../platform/project.js';
import type { Cli } from './cli.js';
import { loadCommands } from './commands/index.js';
import { addCommands, createProgram } from './program.js';

const NAMES = (await loadCommands({} as Cli, undefined)).map((command) => command.name());

/** The command line with one of its commands, whose actions are not run: what they would get is noted instead. */
async function parser(name: string, modelsDirectory = projectPath('models')) {
  const program = createProgram('.sluice');
  const cli = { modelsDirectory } as Cli;
  addCommands(program, cli, await loadCommands(cli, name));
  const ran: { command: string; options: Record<string, unknown> }[] = [];
  for (const command of everyCommand(program)) {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.commands.length === 0 || command.name() === 'score')
      command.action((...given: unknown[]) => {
        const last = given.at(-1) as Command;
        ran.push({ command: last.name(), options: last.optsWithGlobals() });
      });
  }
  const parse = async (...words: string[]) => {
    await program.parseAsync(words, { from: 'user' });
    return ran.at(-1);
  };
  return { program, parse };
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

/** What a help says after its options, where its examples are. */
function helpOf(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

/** A line of a shell as words; what follows two blanks or # is a remark, and && begins another command. */
function wordsOf(line: string): string[] {
  const command =
    line
      .replace(/\s+#.*$/, '')
      .replace(/^sluice /, '')
      .split(/ {2,}| > /)[0] ?? '';
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

describe('help', () => {
  it.each(NAMES)(
    '%s: has an example for every command, and each of them is understood',
    { timeout: 60_000 },
    async (name) => {
      const { program } = await parser(name);
      const [top] = program.commands.filter((command) => command.name() === name);
      for (const command of everyCommand(top as Command)) {
        const lines = helpOf(command)
          .split('\n')
          .filter((line) => /^ {2}sluice /.test(line))
          .map((line) => line.trim());
        if (command.commands.length === 0) expect(lines, command.name()).not.toEqual([]);
        for (const line of lines) {
          const words = wordsOf(line);
          const called = words[0] === '--json' ? words[1] : words[0];
          const { parse } = await parser(called ?? '');
          expect(await parse(...words), line).toMatchObject({ options: {} });
        }
      }
    },
  );

  it('lists every command with its description, and each by itself', { timeout: 60_000 }, async () => {
    for (const name of NAMES) {
      const [command] = await loadCommands({ modelsDirectory: projectPath('models') } as Cli, name);
      expect(command?.name()).toBe(name);
      expect(command?.description()).not.toBe('');
    }
  });

  it('knows a former name', async () => {
    const { parse } = await parser('alerts');
    expect(await parse('alerts', 'list')).toMatchObject({ command: 'list' });
  });
});

describe('the model', () => {
  let models: string;
  beforeEach(() => {
    models = mkdtempSync(join(tmpdir(), 'sluice-models-'));
  });
  afterEach(() => rmSync(models, { recursive: true, force: true }));
  const folders = (...names: string[]): void => names.forEach((name) => mkdirSync(join(models, name)));
  const commands = [
    ['release', 'watch', 'x'],
    ['data', 'import', 'file.csv'],
    ['data', 'import-fixings', 'file.csv'],
    ['score', 'file.json'],
    ['score', 'replay', '--from', '2025-06-01', '--to', '2025-06-02'],
    ['rollback', '--reason', 'x'],
    ['start'],
  ];

  it.each(commands)('is the only one there is: %s %s', async (...words) => {
    folders('cards', '.git');
    const { parse } = await parser(words[0] as string, models);
    expect(await parse(...words)).toMatchObject({ options: { model: 'cards' } });
  });

  it.each(commands)('must be named where there are two, and is taken then: %s %s', async (...words) => {
    folders('cards', 'loans');
    const { parse } = await parser(words[0] as string, models);
    await expect(parse(...words)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/--model.*cards, loans/) as string,
    });
    expect(await parse(...words, '--model', 'loans')).toMatchObject({ options: { model: 'loans' } });
  });

  it('that there is none of is refused, with those there are, before any server is asked', async () => {
    folders('cards', 'loans');
    for (const words of [['artifacts', 'list'], ...commands.slice(0, 2)]) {
      const { parse } = await parser(words[0] as string, models);
      await expect(parse(...words, '--model', 'nope')).rejects.toMatchObject({
        type: 'UnknownModel',
        message: expect.stringMatching(/"nope".*known: cards, loans/) as string,
      });
    }
  });

  it("is the demo's for `start`, where it is among several", async () => {
    folders('cards', 'ulb_gbdt');
    const { parse } = await parser('start', models);
    expect(await parse('start')).toMatchObject({ options: { model: 'ulb_gbdt' } });
  });

  it('is not asked for by a command that needs none, and missing altogether it is said to be', async () => {
    folders('cards', 'loans');
    expect(await (await parser('release', models)).parse('release', 'list')).toMatchObject({ command: 'list' });
    const { parse } = await parser('rollback', join(models, 'none'));
    await expect(parse('rollback', '--reason', 'x')).rejects.toThrow(/there is no model in .*none/);
  });
});

it('help goes where it is told to, of every command', async () => {
  let told = '';
  const program = createProgram('.sluice', (help) => (told += help));
  const cli = { modelsDirectory: projectPath('models') } as Cli;
  addCommands(program, cli, await loadCommands(cli, 'data'));
  await expect(program.parseAsync(['data', 'import', '--help'], { from: 'user' })).rejects.toMatchObject({
    exitCode: 0,
  });
  expect(told).toContain('--max-refused');
});

describe('options', () => {
  it.each([
    [['release', 'list', '--limit', '0'], /must be 1 or more/],
    [['release', 'start', '--policy', 'x'], /Allowed choices are auto, manual/],
    [['rollback', '--reason', 'x', '--environment', 'x'], /Allowed choices are production, staging/],
    [['refresh', 'run', '--job', 'x'], /Allowed choices are merchantFrequency, /],
    [['audit', 'verify', '--head', 'abc'], /must be 64 hex digits/],
  ])('%j is refused with what may be there', async (words, message) => {
    const { parse } = await parser(words[0] as string);
    await expect(parse(...words)).rejects.toThrow(message);
  });
});
