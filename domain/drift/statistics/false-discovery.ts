/**
 * Benjamini and Hochberg's adjusted p-values: reject those at or below α, and of all rejections at most the share α is expected to be wrong, also
 * under positive dependence. As `scipy.stats.false_discovery_control(ps, method='bh')`. A null, a test that could not be made, stays null and
 * does not count.
 */
export function benjaminiHochberg(ps: readonly (number | null)[]): (number | null)[] {
  const ranked = ps.flatMap((p, at) => (p === null ? [] : [{ p, at }])).sort((a, b) => b.p - a.p);
  const adjusted: (number | null)[] = ps.map(() => null);
  let smallest = 1;
  ranked.forEach(({ p, at }, fromTop) => {
    smallest = Math.min(smallest, (p * ranked.length) / (ranked.length - fromTop));
    adjusted[at] = smallest;
  });
  return adjusted;
}
