import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MetricFacts } from '../../domain/metrics/metric.js';
import { WORKER_METRICS } from '../../domain/metrics/worker-metrics.js';
import { projectPath } from '../../platform/project.js';
import { SCORER_METRICS } from '../../scoring/metrics/catalogue.js';

type Told = Pick<MetricFacts, 'type' | 'labels' | 'help'>;

/** The entries of a section of docs/metrics.md: `name` · type · `label`, `label` · what it says. */
function documented(section: string): Record<string, string> {
  const text = readFileSync(projectPath('docs', 'metrics.md'), 'utf8').split(/^## /m);
  const found = text.find((one) => one.startsWith(section)) ?? '';
  const entries = found.split(/^- /m).flatMap((entry) => {
    const line = entry.split('\n\n')[0]?.replace(/\s+/g, ' ').trim() ?? '';
    const name = /^`(sluice_\w+)` · /.exec(line);
    return name === null ? [] : [[name[1] as string, line.slice(name[0].length)] as const];
  });
  return Object.fromEntries(entries);
}

function entryOf({ type, labels, help }: Told): string {
  return [type, ...(labels.length === 0 ? [] : [labels.map((label) => `\`${label}\``).join(', ')]), help].join(' · ');
}

describe('docs/metrics.md', () => {
  it.each([
    ["A scorer's", SCORER_METRICS as Record<string, MetricFacts>],
    ["The workers'", WORKER_METRICS as Record<string, MetricFacts>],
  ])('%s: lists the metrics that there are, and no others, with type, labels and meaning', (section, catalogue) => {
    const listed = documented(section);
    expect(Object.keys(listed).sort()).toEqual(Object.keys(catalogue).sort());
    for (const [name, facts] of Object.entries(catalogue)) {
      const entry = entryOf(facts);
      // what to do about it follows
      expect(listed[name]?.slice(0, entry.length), name).toBe(entry);
    }
  });
});

describe('the names of metrics', () => {
  it.each(Object.entries({ ...SCORER_METRICS, ...WORKER_METRICS } as Record<string, MetricFacts>))(
    '%s: as Prometheus has them',
    (name, { type, buckets = [] }) => {
      expect(name).toMatch(/^sluice_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
      expect(buckets.length > 0).toBe(type === 'histogram');
    },
  );
});
