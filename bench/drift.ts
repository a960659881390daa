import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DAY_MS, dayOf } from '../domain/drift/calendar.js';
import type { DriftReport } from '../schemas/types.js';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { ensureTrainerPython } from '../stack/install/python.js';
import { CHANGES, changed, type Change } from '../test/support/drift-changes.js';
import { DriftWorld, judgeDays, retrainings, type JudgedWindow } from '../test/support/drift-world.js';
import { readFixings, readRows } from './drift/rows.js';
import { release } from './drift/release.js';

// Drift on real days after a release, in a world that stays and in worlds that change: `npm run bench:drift`. README.md says what is measured and how.

const TARGETS = { maxDriftShare: 0.05, retrainings: 0, maxDelayDays: 3, retrainingsOfMovedFraud: 1 };
/** long enough for drift to last and start a retraining */
const DAYS_AFTER_CHANGE = 8;
const WHOLE = projectPath('data', 'bank_transactions_2025h1.csv.gz');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'as-of': { type: 'string', default: '2025-03-31' },
    to: { type: 'string', default: '2025-06-30' },
    customers: { type: 'string', default: 'all' },
    starts: { type: 'string' },
  },
});
const [file = existsSync(WHOLE) ? WHOLE : projectPath('data', 'bank_transactions_demo.csv.gz')] = positionals;
const first = dayOf(Date.parse(options['as-of'])) + 1;
const last = dayOf(Date.parse(options.to));
if (Number.isNaN(first) || !(last >= first) || !['all', 'even', 'odd'].includes(options.customers))
  throw new Error(
    'usage: npm run bench:drift -- [FILE.csv.gz] [--as-of DAY] [--to DAY] [--starts DAY,DAY] [--customers even|odd]',
  );
/** the first day, on which the model is new, and one on which it has been live for weeks */
const starts = options.starts?.split(',').map((day) => dayOf(Date.parse(day))) ?? [first, first + 36];
const say = (message: string): void => void process.stderr.write(`${message}\n`);

const half = { all: () => true, even: isEven, odd: (customer: string) => !isEven(customer) }[options.customers];
const [rows, fixings, model] = [
  await readRows(file, half ?? (() => true)),
  readFixings(),
  await loadModel(projectPath('models'), 'ulb_gbdt'),
];
const policy = model.spec.drift;
const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
try {
  const python = await ensureTrainerPython({ env: process.env, log: ({ message }) => say(message) });
  const { released, score } = await release(model, fixings, rows, `${options['as-of']}T00:00:00.000Z`, {
    directory,
    python,
    say,
  });
  const worldOf = (change: Change | null, since: number): DriftWorld =>
    new DriftWorld(
      model,
      fixings,
      change === null ? rows : changed(rows, change, since * DAY_MS, fixings),
      released,
      score,
    );

  const usual = await judgeDays(worldOf(null, first), first, last, policy);
  for (const one of usual.filter(isDrift)) say(`${one.asOf.slice(0, 10)} ${one.report.why.join('; ')}`);
  const unchanged = {
    days: usual.length,
    alarms: usual.filter(isDrift).length,
    causes: causesOf(usual),
    retrainings: retrainings(usual, policy),
  };
  say(JSON.stringify(unchanged));

  const changes = [];
  for (const change of CHANGES)
    for (const start of starts.filter((day) => day <= last)) {
      const from = Math.max(first, start - policy.window_days);
      const judged = await judgeDays(worldOf(change, start), from, start + DAYS_AFTER_CHANGE - 1, policy);
      const after = judged.filter(({ asOf }) => dayOf(Date.parse(asOf)) > start);
      const found = after.find(isDrift);
      const delay = found === undefined ? null : dayOf(Date.parse(found.asOf)) - start;
      const started = retrainings(after, policy);
      const one = { change, since: iso(start), delay, causes: causesOf(after), retrainings: started.length };
      say(JSON.stringify(one));
      changes.push(one);
    }
  const pass =
    unchanged.alarms <= TARGETS.maxDriftShare * unchanged.days &&
    unchanged.retrainings.length === TARGETS.retrainings &&
    changes.every(({ delay }) => delay !== null && delay <= TARGETS.maxDelayDays) &&
    changes
      .filter(({ change }) => change === 'moved fraud')
      .every((one) => one.retrainings === TARGETS.retrainingsOfMovedFraud);
  const about = { bench: 'drift', file, asOf: options['as-of'], customers: options.customers, rows: rows.length };
  process.stdout.write(`${JSON.stringify({ ...about, unchanged, changes, targets: TARGETS, pass })}\n`);
  process.exitCode = pass ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

function isDrift({ report }: JudgedWindow): boolean {
  return report.verdict === 'drift';
}

/** Days by what had drifted on them. */
function causesOf(judged: readonly JudgedWindow[]): Record<string, number> {
  const causes: Record<string, number> = {};
  for (const { report } of judged.filter(isDrift))
    for (const cause of driftedParts(report)) causes[cause] = (causes[cause] ?? 0) + 1;
  return causes;
}

function driftedParts(report: DriftReport): string[] {
  const parts = {
    score: report.prediction,
    'alert rate': report.alert_rate,
    'fraud rate': report.target,
    'known frauds': report.known_frauds,
    'matured labels': report.performance,
  };
  const names = Object.entries(parts).flatMap(([name, part]) => (part?.verdict === 'drift' ? [name] : []));
  return [...report.features_with_drift, ...names];
}

function iso(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

function isEven(customer: string): boolean {
  return Number(customer.replace(/\D/g, '')) % 2 === 0;
}
