import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiSquaredContingency, chiSquaredFit, fisherExact } from '../../domain/drift/statistics/chi-squared.js';
import { jensenShannonDistance, klDivergence, wassersteinDistance } from '../../domain/drift/statistics/distances.js';
import { benjaminiHochberg } from '../../domain/drift/statistics/false-discovery.js';
import { kolmogorovTail } from '../../domain/drift/statistics/kolmogorov.js';
import { ksTwoSample } from '../../domain/drift/statistics/ks.js';
import { spearman } from '../../domain/drift/statistics/spearman.js';
import { chiSquaredQuantile } from '../../domain/drift/statistics/special.js';
import { projectPath } from '../../platform/project.js';
import { useServers } from '../support/shared-servers.js';

interface Pair {
  name: string;
  a: number[];
  b: number[];
}
interface Result {
  statistic: number;
  p: number;
}
interface Cases {
  ks: (Pair & Result)[];
  kolmogorov: { n: number; d: number; p: number }[];
  contingency: (Omit<Pair, 'name'> & Result & { degrees: number })[];
  goodnessOfFit: (Result & { observed: number[]; expected: number[] })[];
  fisher: { hitsA: number; rowsA: number; hitsB: number; rowsB: number; p: number }[];
  wasserstein: (Pair & { weightsA: number[]; weightsB: number[]; plain: number; weighted: number })[];
  divergences: { p: number[]; q: number[]; js: number; kl: number | null }[];
  falseDiscovery: { ps: number[]; adjusted: number[] }[];
  rankCorrelation: (Omit<Pair, 'name'> & Result)[];
  chiSquaredQuantiles: { probability: number; degrees: number; x: number }[];
}

let work: string;
let cases: Cases;

beforeAll(async () => {
  const { env } = await useServers(['python']);
  work = await mkdtemp(join(tmpdir(), 'sluice-drift-'));
  const script = projectPath('test', 'parity', 'drift_scipy.py');
  const file = join(work, 'cases.json');
  await execa(env['SLUICE_PYTHON']!, [script, file]);
  cases = JSON.parse(await readFile(file, 'utf8')) as Cases;
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Equal to 1e-9, of the value itself where that is above one. */
function same(actual: number, expected: number, what: string): void {
  const tolerance = 1e-9 * Math.max(1, Math.abs(expected));
  expect(Math.abs(actual - expected), `${what}: ${actual}, scipy says ${expected}`).toBeLessThanOrEqual(tolerance);
}
const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

describe("scipy's", () => {
  it('ks_2samp', () => {
    expect(cases.ks).toHaveLength(9);
    for (const { name, a, b, statistic, p } of cases.ks) {
      const ours = ksTwoSample(ascending(a), ascending(b));
      same(ours.statistic, statistic, `${name}, D`);
      same(ours.p, p, `${name}, p`);
    }
  });

  it('kstwo.sf, in every branch', () => {
    expect(cases.kolmogorov.length).toBeGreaterThan(200);
    for (const { n, d, p } of cases.kolmogorov) same(kolmogorovTail(n, d), p, `n = ${n}, d = ${d}`);
  });

  it('chi2_contingency, chisquare, fisher_exact and chi2.isf', () => {
    for (const { a, b, statistic, p, degrees } of cases.contingency) {
      const ours = chiSquaredContingency(a, b);
      expect(ours.degrees).toBe(degrees);
      same(ours.statistic, statistic, `χ² of ${a.join()} and ${b.join()}`);
      same(ours.p, p, `p of ${a.join()} and ${b.join()}`);
    }
    for (const { observed, expected, statistic, p } of cases.goodnessOfFit) {
      const ours = chiSquaredFit(observed, expected);
      same(ours.statistic, statistic, `χ² of ${observed.join()}`);
      same(ours.p, p, `p of ${observed.join()}`);
    }
    for (const { hitsA, rowsA, hitsB, rowsB, p } of cases.fisher)
      same(fisherExact(hitsA, rowsA, hitsB, rowsB), p, `${hitsA}/${rowsA} and ${hitsB}/${rowsB}`);
    for (const { probability, degrees, x } of cases.chiSquaredQuantiles)
      same(chiSquaredQuantile(probability, degrees), x, `${probability} of χ²(${degrees})`);
  });

  it('wasserstein_distance, with and without weights', () => {
    for (const { name, a, b, weightsA, weightsB, plain, weighted } of cases.wasserstein) {
      same(wassersteinDistance({ values: ascending(a) }, { values: ascending(b) }), plain, name);
      const sorted = (values: number[], weights: number[]) => {
        const order = values.map((value, i) => [value, weights[i]!] as const).sort(([x], [y]) => x - y);
        return { values: order.map(([value]) => value), weights: order.map(([, weight]) => weight) };
      };
      same(wassersteinDistance(sorted(a, weightsA), sorted(b, weightsB)), weighted, `${name}, weighted`);
    }
  });

  it('jensenshannon and entropy', () => {
    for (const { p, q, js, kl } of cases.divergences) {
      same(jensenShannonDistance(p, q), js, `JS of ${p.join()} and ${q.join()}`);
      if (kl === null) expect(klDivergence(p, q)).toBe(Infinity);
      else same(klDivergence(p, q), kl, `KL of ${p.join()} from ${q.join()}`);
    }
  });

  it('false_discovery_control', () => {
    for (const { ps, adjusted } of cases.falseDiscovery)
      benjaminiHochberg(ps).forEach((p, i) => same(p!, adjusted[i]!, `${ps[i]} of ${ps.join()}`));
  });

  it('spearmanr', () => {
    expect(cases.rankCorrelation.length).toBeGreaterThan(10);
    for (const { a, b, statistic, p } of cases.rankCorrelation) {
      const ours = spearman(a, b);
      same(ours!.statistic, statistic, `ρ of ${a.join()}`);
      same(ours!.p, p, `p of ${a.join()}`);
    }
  });
});
