import { readFile, symlink, writeFile, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from 'commander';
import type { Cli as CliDeps } from '../../client/cli.js';
import { loadCommands } from '../../client/commands/index.js';
import { WORKER_METRICS } from '../../domain/metrics/worker-metrics.js';
import { projectPath } from '../../platform/project.js';
import { startDemoStack, type DemoStack } from '../support/demo-stack.js';
import { ownNames, sample, scrapePart } from '../support/scrape.js';
import { testEnv } from '../support/stack.js';

// The README's night, typed as it stands by somebody who reads nothing else; then every command that no other test has run on a real stack.
const NIGHT = '## A night on the demo data';

let stack: DemoStack;
let bin: string;
beforeAll(async () => {
  stack = await startDemoStack();
  // as `npm link` does
  bin = join(stack.directory, 'bin');
  await mkdir(bin);
  await symlink(projectPath('bin', 'sluice.mjs'), join(bin, 'sluice'));
});
afterAll(() => stack?.stop());

/** A line in a shell whose directory is the checkout that `npm start` runs in. */
async function typed(line: string): Promise<{ exitCode: number; output: string }> {
  const { exitCode, all } = await execa('bash', ['-c', line], {
    cwd: stack.directory,
    env: { ...testEnv(), PATH: [bin, process.env['PATH']].join(delimiter) },
    extendEnv: false,
    reject: false,
    all: true,
    timeout: 300_000,
  });
  return { exitCode: exitCode ?? -1, output: all };
}

async function night(): Promise<string[]> {
  const readme = await readFile(projectPath('README.md'), 'utf8');
  const [, block = ''] = /\n```\n([\s\S]*?)\n```\n/.exec(readme.slice(readme.indexOf(NIGHT))) ?? [];
  return block.split('\n').filter((line) => line.trim() !== '');
}

/** Every command by its words: `data show`. */
async function everyCommand(): Promise<string[]> {
  const cli = { modelsDirectory: projectPath('models') } as CliDeps;
  const names = (await loadCommands(cli, undefined)).map((command) => command.name());
  const words = (command: Command, above: string): string[] => {
    const path = `${above}${command.name()}`;
    const below = command.commands.flatMap((one) => words(one, `${path} `));
    return below.length > 0 ? below : [path];
  };
  const found = await Promise.all(names.map((name) => loadCommands(cli, name)));
  return found.flat().flatMap((command) => words(command, ''));
}

const ran = new Set<string>();
async function sluice(...words: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  ran.add(words.slice(0, 2).join(' ')).add(words[0] as string);
  return stack.cli.run(...words);
}

describe('the README', () => {
  it('has a night in which every line does what it says, typed as it stands', async () => {
    const lines = await night();
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) {
      const { exitCode, output } = await typed(line);
      // what the drift run finds is said beside it
      expect([line, exitCode, output]).toEqual([
        line,
        line.includes('drift run') ? expect.toBeOneOf([0, 8]) : 0,
        expect.any(String),
      ]);
      // with something before it, too: a token, a loop
      for (const [, noun = '', verb = ''] of line.matchAll(/\bsluice (\S+) (\S+)/g))
        ran.add(noun).add(`${noun} ${verb}`);
    }
    const scored = (await (await fetch(`${stack.env['SCORER_URL']}/v1/metadata`)).json()) as { generation: number };
    expect(scored.generation).toBe(3);
    expect((await typed('sluice thresholds list')).output).toMatch(/ Live +ulb_gbdt {2}2025-06-30/);
  });
});

describe('the commands, on a real stack', () => {
  const ID = '20250101';

  it('status says what answers, where the Temporal UI is, and what is live since when and why; a frozen part is silent', async () => {
    const { exitCode, stdout } = await sluice('status');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(stack.env['TEMPORAL_UI_URL']);
    expect(stdout).toMatch(/live +ulb_gbdt production: \S+, generation 3, since 20\d\d-\S+Z by \S+: /);
    const s3 = await stack.pidOf('s3');
    process.kill(s3, 'SIGSTOP');
    try {
      const frozen = await sluice('status');
      expect(frozen.stdout).toMatch(/^silent +s3 /m);
      expect(frozen.stdout).toMatch(/^ready +mongo /m);
      expect(frozen.stdout).toMatch(/^what is live cannot be read: S3 at /m);
      expect(frozen.exitCode).toBe(6);
    } finally {
      process.kill(s3, 'SIGCONT');
    }
  });

  it('the workers have measured that night, under documented names, where status says', async () => {
    const [release, data] = [await scrapePart(stack.cli, 'release-worker'), await scrapePart(stack.cli, 'data-worker')];
    const model = 'ulb_gbdt';
    expect(Object.keys(WORKER_METRICS)).toEqual(expect.arrayContaining(ownNames([...release, ...data])));
    expect(release).toEqual(
      expect.arrayContaining([
        sample('sluice_runs_ended_total', { workflowType: 'nightlyRefresh', model, status: 'Refreshed' }),
        sample('sluice_refresh_artifacts_total', { job: 'merchantFrequency', model, outcome: 'live' }),
        sample('sluice_drift_psi', { model, feature: 'score' }),
        sample('sluice_activity_seconds_count', { activityType: 'readPointer', outcome: 'ok' }),
        sample('temporal_workflow_completed_total', { workflow_type: 'nightlyRefresh' }),
      ]),
    );
    expect(data).toEqual(
      expect.arrayContaining([
        sample('sluice_activity_seconds_count', { activityType: 'compareWindow', outcome: 'ok' }),
        sample('sluice_mongo_aggregation_seconds_count', { collection: 'bank_transactions' }),
      ]),
    );
  });

  it.each([
    [['relase'], 2],
    [['release'], 2],
    [['release', 'start', '--as-of', 'bad'], 2],
    [['data', 'import'], 2],
    [['data', 'import', 'gone.csv'], 2],
    [['artifacts', 'list', '--model', 'nope'], 7],
    [['--help'], 0],
    [['data', 'import', '--help'], 0],
  ])('with --json, %j is answered in JSON', async (words, code) => {
    const { exitCode, json } = await stack.cli.run(...words, '--json');
    expect(exitCode).toBe(code);
    expect(json).toHaveProperty(code === 0 ? 'help' : 'error');
  });

  it('a rollback takes the thresholds away, and the list says so', async () => {
    expect(await sluice('rollback', '--reason', 'too many alerts')).toMatchObject({ exitCode: 0 });
    expect((await sluice('thresholds', 'list')).stdout).toMatch(/ Replaced +ulb_gbdt {2}2025-06-30/);
  });

  it('every other one does what it is for, or says what is missing', async () => {
    const stored = (await stack.cli.run('--json', 'artifacts', 'list')).json as unknown as { name: string }[];
    const bundle = stored[0]?.name ?? '';
    await writeFile(join(stack.directory, 'one.json'), JSON.stringify({ transaction_id: 't1' }));
    await writeFile(
      join(stack.directory, 'labels.csv'),
      'transaction_id,is_fraud,labeled_at\nnobody,1,2025-06-01T00:00:00Z\n',
    );
    const transaction = await stack.mongo.db.collection('bank_transactions').findOne();
    const id = String(transaction?.['transaction_id']);
    const { stdout: synonyms } = await sluice('synonyms', 'show');
    await writeFile(join(stack.directory, 'synonyms.json'), synonyms);

    const calls: [words: string[], exitCode: number, says: RegExp][] = [
      [['logs', 'mongo'], 0, /./],
      [['up', '--detach'], 0, /ready +mongo/],
      [['principals', 'list'], 0, /grace/],
      [['release', 'list', '--limit', '2'], 0, /rollback[^]*\n {2}.* by \w+: too many alerts/],
      [['release', 'show', 'demo'], 0, /Released/],
      [['release', 'watch', 'demo'], 0, /Released/],
      [['release', 'approve', 'demo', '--reason', 'x'], 2, /not waiting for a decision|accepts no decisions/],
      [['release', 'reject', 'demo', '--reason', 'x'], 2, /not waiting for a decision|accepts no decisions/],
      [['release', 'cancel', 'demo'], 2, /has already finished \(Released\)/],
      [['release', 'start', '--id', 'demo'], 0, /found release demo/],
      [['refresh', 'list'], 0, /2025-06-30/],
      [['refresh', 'show', '2025-06-30'], 0, /Refreshed/],
      [['refresh', 'watch', '2025-06-30'], 0, /Refreshed/],
      [['refresh', 'approve', '2025-06-30', '--reason', 'x'], 2, /not waiting for a decision|accepts no decisions/],
      [['refresh', 'reject', '2025-06-30', '--reason', 'x'], 2, /not waiting for a decision|accepts no decisions/],
      [['thresholds', 'watch', '2025-06-30'], 0, /Live/],
      [['thresholds', 'reject', '2025-06-30', '--reason', 'x'], 2, /not waiting for a decision|accepts no decisions/],
      [['drift', 'show', '2025-05-31'], 0, /./],
      [['drift', 'list'], 0, /2025-05-31/],
      [['drift', 'watch', '2025-05-31'], 0, /./],
      [['drift', 'compare', '2025-05-24', '2025-05-31'], 7, /no weekly snapshot weekly-2025-05/],
      [['audit', 'list', '--limit', '1'], 0, /too many alerts/],
      [['data', 'show', id], 0, /merchant_name/],
      [['data', 'delete', id, '--reason', 'test'], 0, /deleted/],
      [['data', 'import', 'labels.csv'], 2, /lacks the columns/],
      [['data', 'import-fixings', projectPath('data', 'ecb_fixings.csv')], 0, /unchanged/],
      [['labels', 'import', 'labels.csv'], 0, /0 transactions updated; 1 label kept for unknown transactions: nobody/],
      [['models', 'check'], 0, /✔ ulb_gbdt: valid/],
      [['models', 'check', 'nope'], 7, /there is no model "nope"/],
      [['synonyms', 'check', 'synonyms.json'], 0, /can be published/],
      [['synonyms', 'publish', 'synonyms.json', '--reason', 'test'], 0, /published|already is/],
      [['score', 'one.json'], 2, /customer_id/],
      [['schedules', 'list'], 0, /nightly-refresh/],
      [['schedules', 'pause', 'nightly-refresh', '--reason', 'test'], 0, /paused nightly-refresh/],
      [['schedules', 'resume', 'nightly-refresh', '--reason', 'test'], 0, /resumed nightly-refresh/],
      [['schedules', 'run', 'fx-daily'], 0, /started fx-daily|queued/],
      [['schedules', 'backfill', 'nightly-refresh', '--from', ID, '--to', ID], 2, /must be a day/],
      [['notify', 'list'], 0, /thresholds|wait/],
      [['notify', 'test'], 0, /./],
      [['artifacts', 'list', '--limit', '1'], 0, /bundle/],
      [['artifacts', 'pin', bundle, '--reason', 'test'], 0, /pinned/],
      [['artifacts', 'unpin', bundle], 0, /unpinned/],
      [['artifacts', 'prune'], 0, /./],
    ];
    for (const [words, code, says] of calls) {
      const { exitCode, stdout, stderr } = await sluice(...words);
      const got = `${words.join(' ')}: ${exitCode}\n${stdout}${stderr}`;
      expect(exitCode, got).toSatisfy((one: number) => one === code || (words[0] === 'drift' && one === 8));
      expect(stdout + stderr, got).toMatch(says);
    }
    /** run by others: the stack itself by `test/integration/stack-up`, `start` by every system test */
    const elsewhere = ['start', 'down'];
    expect((await everyCommand()).filter((name) => !ran.has(name) && !elsewhere.includes(name))).toEqual([]);
  });
});
