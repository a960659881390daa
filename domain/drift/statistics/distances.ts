/**
 * Kullback-Leibler divergence Σ p ln(p ÷ q) of p from q, in nats, as `scipy.stats.entropy(p, q)`: both are scaled to sum to one.
 * Infinite where q is zero and p is not.
 */
export function klDivergence(p: readonly number[], q: readonly number[]): number {
  const [sumP, sumQ] = [total(p), total(q)];
  return p.reduce((sum, share, i) => {
    const scaled = share / sumP;
    return scaled === 0 ? sum : sum + scaled * Math.log(scaled / ((q[i] ?? 0) / sumQ));
  }, 0);
}

/**
 * Jensen-Shannon distance: the root of the mean divergence of both from their mean, natural logarithm, as
 * `scipy.spatial.distance.jensenshannon(p, q)`. From 0 to √ln 2; finite always.
 */
export function jensenShannonDistance(p: readonly number[], q: readonly number[]): number {
  const [sumP, sumQ] = [total(p), total(q)];
  const scaledP = p.map((share) => share / sumP);
  const scaledQ = q.map((share) => share / sumQ);
  const mean = scaledP.map((share, i) => (share + (scaledQ[i] ?? 0)) / 2);
  const divergence = (klDivergence(scaledP, mean) + klDivergence(scaledQ, mean)) / 2;
  return Math.sqrt(Math.max(0, divergence));
}

/** Half the sum of all differences of the shares: the largest difference in probability that any set of categories shows. */
export function totalVariation(p: readonly number[], q: readonly number[]): number {
  const [sumP, sumQ] = [total(p), total(q)];
  return p.reduce((sum, share, i) => sum + Math.abs(share / sumP - (q[i] ?? 0) / sumQ), 0) / 2;
}

/** Values with a weight each, ascending by value. */
export interface Weighted {
  values: ArrayLike<number>;
  weights?: ArrayLike<number>;
}

/**
 * The first Wasserstein distance, the area between the two distribution functions, in the values' unit, as
 * `scipy.stats.wasserstein_distance(u, v, u_weights, v_weights)`.
 */
export function wassersteinDistance(u: Weighted, v: Weighted): number {
  const [totalU, totalV] = [totalWeight(u), totalWeight(v)];
  let [i, j] = [0, 0];
  let [belowU, belowV] = [0, 0];
  let [area, previous] = [0, NaN];
  while (i < u.values.length || j < v.values.length) {
    const value = Math.min(u.values[i] ?? Infinity, v.values[j] ?? Infinity);
    if (!Number.isNaN(previous)) area += Math.abs(belowU / totalU - belowV / totalV) * (value - previous);
    for (; u.values[i] === value; i++) belowU += u.weights?.[i] ?? 1;
    for (; v.values[j] === value; j++) belowV += v.weights?.[j] ?? 1;
    previous = value;
  }
  return area;
}

function totalWeight({ values, weights }: Weighted): number {
  if (weights === undefined) return values.length;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] ?? 0;
  return sum;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
