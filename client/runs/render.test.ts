import { PassThrough } from 'node:stream';
import { ProcessOutput } from 'listr2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOutput, type Output } from '../output.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import type { RunFrame } from './kind.js';
import { liveRenderer } from './live.js';
import { createRenderer } from './render.js';

const step = (
  name: string,
  status: StepProgress['status'],
  steps?: StepProgress[],
  detail: string | null = null,
): StepProgress => ({
  name,
  status,
  startedAt: status === 'pending' ? null : '2026-01-01T00:00:00.000Z',
  finishedAt: status === 'done' || status === 'failed' ? '2026-01-01T00:00:01.500Z' : null,
  detail,
  ...(steps === undefined ? {} : { steps }),
});
const frame = (steps: StepProgress[], more: Partial<RunFrame> = {}): RunFrame => ({
  steps,
  items: [],
  waits: null,
  ...more,
});

/** What a terminal of this width shows of what was written to it: enough of one for lists that redraw themselves. */
class Screen {
  lines: string[] = [''];
  row = 0;
  column = 0;
  raw = '';

  constructor(readonly columns: number) {}

  write(text: string): boolean {
    this.raw += text;
    // oxlint-disable-next-line no-control-regex
    for (const [token] of text.matchAll(/\u001B\[[?]?[\d;]*[A-Za-z]|[^]/gu)) this.take(token);
    return true;
  }

  private take(token: string): void {
    // oxlint-disable-next-line no-control-regex
    const escape = /^\u001B\[(\??)(\d*)[\d;]*([A-Za-z])$/.exec(token);
    if (escape !== null) {
      const [, , amount = '', command] = escape;
      if (command === 'A') this.row = Math.max(0, this.row - Number(amount || 1));
      else if (command === 'G') this.column = 0;
      else if (command === 'K')
        this.lines[this.row] = amount === '2' ? '' : (this.lines[this.row] ?? '').slice(0, this.column);
      return;
    }
    if (token === '\r') this.column = 0;
    else if (token === '\n') this.newLine();
    else {
      if (this.column === this.columns) this.newLine();
      const line = this.lines[this.row] ?? '';
      this.lines[this.row] = line.padEnd(this.column).slice(0, this.column) + token + line.slice(this.column + 1);
      this.column += 1;
    }
  }

  private newLine(): void {
    this.row += 1;
    this.column = 0;
    this.lines[this.row] ??= '';
  }
}

describe('a line a change, when piped', () => {
  let written = '';
  const output = (json = false): Output => {
    written = '';
    const stdout = { write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
    return createOutput({ json, stdout, stderr: new PassThrough() as unknown as NodeJS.WriteStream, dumb: false });
  };

  it('tells each change once, steps of a step indented below it, and what waits for a person', async () => {
    const renderer = await createRenderer('release x', output());
    renderer.show(frame([step('train', 'running'), step('rollout', 'pending')]));
    renderer.show(frame([step('train', 'running'), step('rollout', 'pending')]));
    const within = [step('reload', 'done', undefined, '2 replicas'), step('smoke', 'failed')];
    const waits = { what: 'waits for a decision', proposal: 'the proposal' };
    renderer.show(frame([step('train', 'done'), step('rollout', 'running', within)], { waits }));
    renderer.show(frame([step('train', 'done'), step('rollout', 'skipped', within)], { waits }));
    renderer.retry({ activity: 'reload', attempt: 2, failure: 'no answer' });
    const queued = [{ activity: 'smoke', since: '2026-01-01T00:00:00.000Z' }];
    renderer.queued(queued);
    renderer.queued(queued);
    await renderer.end(false);
    expect(written.split('\n')).toEqual([
      '▸ train',
      '✔ train             1.5s',
      '▸ rollout',
      '  ✔ reload            1.5s  2 replicas',
      '  ✖ smoke             1.5s',
      'the proposal',
      'waits for a decision',
      '↻ reload failed and is tried again (attempt 2): no answer',
      '… smoke waits for a free worker',
      '',
    ]);
  });

  it('keeps two steps of one name apart where they belong to different ones', async () => {
    const renderer = await createRenderer('x', output());
    renderer.show(frame([step('a', 'done', [step('swap', 'done')]), step('b', 'done', [step('swap', 'done')])]));
    expect(written.match(/swap/g)).toHaveLength(2);
  });

  it('says nothing with --json', async () => {
    const renderer = await createRenderer('x', output(true));
    renderer.show(frame([step('a', 'done')], { waits: { what: 'waits', proposal: 'p' } }));
    await renderer.end(false);
    expect(written).toBe('');
  });
});

describe('a live list in a terminal', () => {
  const tty = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
  const columns = Object.getOwnPropertyDescriptor(process.stdout, 'columns');
  const restore = (name: 'isTTY' | 'columns', was: PropertyDescriptor | undefined): void => {
    if (was === undefined) Reflect.deleteProperty(process.stdout, name);
    else Object.defineProperty(process.stdout, name, was);
  };
  beforeEach(() => {
    Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
    Object.defineProperty(process.stdout, 'columns', { value: 60, configurable: true });
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    restore('isTTY', tty);
    restore('columns', columns);
  });
  const start = () => {
    const screen = new Screen(60);
    const stream = {
      columns: 60,
      rows: 50,
      isTTY: true,
      write: (text: string) => screen.write(text),
    } as unknown as NodeJS.WriteStream;
    const other = { write: () => true } as unknown as NodeJS.WriteStream;
    const lines: string[] = [];
    const output = { line: (text: string) => void lines.push(text) } as unknown as Output;
    const renderer = liveRenderer('release x of m', output, new ProcessOutput(stream, other));
    /** until the list has drawn itself with this text */
    const drawn = (text: string) =>
      vi.waitUntil(() => screen.lines.join('').replaceAll(/\s/g, '').includes(text), { timeout: 20_000 });
    return { screen, renderer, lines, drawn };
  };

  it('folds what is longer than 60 columns and draws over all of it', { timeout: 60_000 }, async () => {
    const { screen, renderer, drawn } = start();
    const detail = 'a detail that is a good deal longer than one line of sixty columns can ever hold, so it is folded';
    renderer.show(frame([step('train', 'running', undefined, detail), step('rollout', 'pending')]));
    await drawn('folded');
    renderer.show(
      frame([step('train', 'done', undefined, detail), step('rollout', 'running', [step('reload', 'running')])]),
    );
    await drawn('▸reload');
    renderer.show(frame([step('train', 'done', undefined, detail), step('rollout', 'done', [step('reload', 'done')])]));
    await renderer.end(false);
    const shown = screen.lines.map((line) => line.trimEnd()).filter((line) => line !== '');
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThanOrEqual(60);
    for (const once of ['release x of m', '✔ train', '✔ rollout', '✔ reload'])
      expect(shown.filter((line) => line.includes(once))).toHaveLength(1);
    expect(shown.join('\n')).not.toMatch(/▸|·/);
    expect(shown.map((line) => line.trim()).join(' ')).toContain('it is folded');
    expect(shown.find((line) => line.includes('✔ reload'))).toMatch(/^ {4}✔ reload/);
  });

  it('prints a proposal once, above the list that goes on', { timeout: 60_000 }, async () => {
    const { renderer, lines, screen, drawn } = start();
    const waits = { what: 'waits for a decision', proposal: 'old and new' };
    renderer.show(frame([step('approve', 'running')], { waits }));
    renderer.show(frame([step('approve', 'running')], { waits }));
    await drawn('waitsforadecision');
    renderer.show(frame([step('approve', 'done')]));
    await renderer.end(false);
    expect(lines).toEqual(['old and new']);
    expect(screen.lines.join('\n')).toContain('✔ approve');
  });

  it('shows for how long an activity has waited for a worker, until it does not', { timeout: 60_000 }, async () => {
    const { renderer, drawn, screen } = start();
    renderer.show(frame([step('snapshot', 'running')]));
    renderer.queued([{ activity: 'snapshot', since: new Date(Date.now() - 61_000).toISOString() }]);
    await drawn('snapshotwaitsforafreeworker,1m');
    renderer.queued([]);
    await renderer.end(false);
    expect(screen.lines.join('\n')).not.toContain('free worker');
  });

  it('gives the terminal back at once when the process is about to end', () => {
    const { screen, renderer } = start();
    renderer.show(frame([step('train', 'running')]));
    renderer.abandon();
    expect(screen.raw.endsWith('\u001B[?25h')).toBe(true);
  });
});

it('a terminal that cannot move its cursor, or none, is written line by line', () => {
  const stream = { isTTY: true, write: () => true } as unknown as NodeJS.WriteStream;
  const given = { stdout: stream, stderr: stream };
  expect(createOutput({ ...given, json: false, dumb: false }).tty).toBe(true);
  expect(createOutput({ ...given, json: false, dumb: true }).tty).toBe(false);
  expect(createOutput({ ...given, json: true, dumb: false }).tty).toBe(false);
});
