import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import type { ReleaseReport } from './contract.js';
import { MODEL_PROGRESS_COLUMNS, PROGRESS_COLUMNS, withRelease } from './progress-file.js';

const report = (changes: Partial<ReleaseReport> = {}): ReleaseReport => ({
  model: 'ulb_gbdt',
  releaseId: 'r1',
  status: 'Released',
  runId: 'abc',
  modelVersion: '3',
  bundleVersion: '20250630-120000-1.0.0-0a1b2c3',
  generation: 4,
  stage: 'Production',
  metrics: { auc_pr: 0.79123456, f1_score: null, precision: NaN },
  gates: [{ name: 'auc_roc', passed: false, observed: 0.7, required: '>= 0.8', message: '' }],
  dataSnapshotId: 's1',
  snapshotPrefix: null,
  actor: 'ada',
  reason: 'weekly',
  finishedAt: '2025-06-30T12:00:00.000Z',
  ...changes,
});
const add = (existing: string | null, changes?: Partial<ReleaseReport>) =>
  withRelease(existing, 'Progress', PROGRESS_COLUMNS, report(changes));
const rows = (text: string) => text.split('\n').filter((line) => /^\| (?!release |---)/.test(line));

describe('a progress file', () => {
  it('begins with a heading and one row', () => {
    const text = add(null);
    expect(text).toMatch(/^# Progress\n/);
    expect(rows(text)).toHaveLength(1);
    expect(rows(text)[0]).toContain('| 0.7912 | – | ada | weekly |');
    const model = withRelease(null, 'Models', MODEL_PROGRESS_COLUMNS, report());
    expect(rows(model)[0]).toContain('failed: auc\\_roc');
  });

  it('has one row a release, in the order they came, however often each is reported', () => {
    let text = add(null);
    text = add(text, { releaseId: 'r2' });
    text = add(text, { releaseId: 'r1', model: 'other' });
    expect(add(add(text), { releaseId: 'r2' })).toBe(text);
    expect(rows(text)).toHaveLength(3);
    const changed = rows(add(text, { status: 'Failed' }));
    expect(changed).toHaveLength(3);
    expect(changed[0]).toContain('Failed');
  });

  it("keeps the user's own text, before and after", () => {
    const mine = '# My log\n\n| a | table |\n| - | - |\n| of | mine |\n';
    const first = add(mine);
    expect(first.startsWith(mine)).toBe(true);
    const second = add(first + 'and this below\n', { releaseId: 'r2' });
    expect(second.startsWith(mine)).toBe(true);
    expect(second.endsWith('and this below\n')).toBe(true);
    expect(second.match(/sluice:releases:begin/g)).toHaveLength(1);
  });

  it('starts anew at the end of a file whose marks were damaged', () => {
    const damaged = add(null).replace('<!-- sluice:releases:end -->', '');
    const text = add(damaged);
    expect(text).toContain(damaged.trimEnd());
    expect(add(text)).toBe(text);
  });

  it('lets no text from outside out of its cell', () => {
    const naughty = JSON.parse(readFileSync(projectPath('test', 'corpora', 'blns.json'), 'utf8')) as string[];
    const columns = PROGRESS_COLUMNS.length;
    for (const reason of [
      ...naughty,
      '<!-- sluice:releases:end -->',
      '| x |\n| y |',
      '<script>alert(1)</script>',
      '[a](javascript:x)',
    ]) {
      const text = add(null, { reason });
      expect(text.split('\n'), reason).toHaveLength(add(null).split('\n').length);
      const row = rows(text)[0] as string;
      expect(row.replaceAll('\\\\', '').match(/(?<!\\)\|/g), reason).toHaveLength(columns + 1);
      expect(row, reason).not.toMatch(/[<>]/);
      expect(add(text, { reason }), reason).toBe(text);
    }
  });
});
