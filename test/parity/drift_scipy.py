"""Drift statistics as scipy computes them, with the data that they are of: JSON on standard output.

python drift_scipy.py > cases.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon


def samples(rng: np.random.Generator) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Pairs of samples: alike, moved, discrete, constant, apart, of very different sizes."""
    return [
        ("alike", rng.normal(size=300), rng.normal(size=400)),
        ("moved", rng.normal(size=900), rng.normal(0.1, 1, size=1100)),
        ("slightly moved, large", rng.lognormal(3, 1, size=60_000), rng.lognormal(3.01, 1, size=5_000)),
        ("far apart", rng.normal(size=50), rng.normal(9, 1, size=70)),
        ("ties", rng.integers(0, 6, size=700).astype(float), rng.integers(0, 7, size=500).astype(float)),
        ("constants", np.full(20, 3.0), np.full(30, 3.0)),
        ("a constant and another", np.full(20, 3.0), np.full(30, 4.0)),
        ("few rows", rng.normal(size=3), rng.normal(size=12)),
        ("heavy tails", rng.standard_cauchy(size=2_000), rng.standard_cauchy(size=1_500)),
    ]


def ks(rng: np.random.Generator) -> list[dict]:
    return [
        {"name": name, "a": a.tolist(), "b": b.tolist(), "statistic": float(r.statistic), "p": float(r.pvalue)}
        for name, a, b in samples(rng)
        for r in [stats.ks_2samp(a, b, method="asymp")]
    ]


def kolmogorov() -> list[dict]:
    """Every branch of the distribution: by size, and by n·d² from far below the middle to far in the tail."""
    return [
        {"n": n, "d": d, "p": float(stats.kstwo.sf(d, n))}
        for n in (1, 2, 3, 7, 20, 100, 140, 141, 300, 1_000, 6_000, 50_000, 100_001, 700_000)
        for d in sorted(
            {*(float(np.sqrt(x / n)) for x in (0.05, 0.2, 0.5, 0.8, 1, 1.5, 2.1, 2.3, 3.9, 4.1, 9, 17, 19, 400))}
            | {0.4 / n, 0.7 / n, 1 / n, 0.3, 0.5, 0.9, 1 - 0.5 / n}
        )
        if 0 < d <= 1
    ]


def contingency(rng: np.random.Generator) -> list[dict]:
    tables = [
        rng.multinomial(5_000, shares, size=2).tolist()
        for shares in ([0.5, 0.5], [0.9, 0.1], [0.2] * 5, rng.dirichlet(np.ones(24) * 3).tolist())
    ]
    tables += [[[80_000, 376], [600, 50]], [[10, 20, 30], [30, 20, 10]], [[3, 1], [1, 3]]]
    return [
        {"a": a, "b": b, "statistic": float(r.statistic), "p": float(r.pvalue), "degrees": int(r.dof)}
        for a, b in tables
        for r in [stats.chi2_contingency([a, b])]
    ]


def goodness_of_fit(rng: np.random.Generator) -> list[dict]:
    cases = []
    for shares in ([0.25] * 4, [0.7, 0.2, 0.1], rng.dirichlet(np.ones(40) * 5).tolist()):
        observed = rng.multinomial(2_000, shares)
        expected = 2_000 * np.asarray(shares)
        result = stats.chisquare(observed, expected)
        cases.append(
            {
                "observed": observed.tolist(),
                "expected": expected.tolist(),
                "statistic": float(result.statistic),
                "p": float(result.pvalue),
            }
        )
    return cases


def fisher() -> list[dict]:
    tables = [[3, 1, 1, 3], [0, 80_000, 2, 498], [1, 9, 11, 3], [0, 10, 0, 12], [4, 60_000, 44, 836], [2, 2, 2, 2]]
    return [
        {
            "hitsA": a,
            "rowsA": a + b,
            "hitsB": c,
            "rowsB": c + d,
            "p": float(stats.fisher_exact([[a, b], [c, d]]).pvalue),
        }
        for a, b, c, d in tables
    ]


def wasserstein(rng: np.random.Generator) -> list[dict]:
    cases = []
    for name, a, b in samples(rng):
        weights_a, weights_b = rng.random(len(a)) + 0.01, rng.random(len(b)) + 0.01
        cases.append(
            {
                "name": name,
                "a": a.tolist(),
                "b": b.tolist(),
                "weightsA": weights_a.tolist(),
                "weightsB": weights_b.tolist(),
                "plain": float(stats.wasserstein_distance(a, b)),
                "weighted": float(stats.wasserstein_distance(a, b, weights_a, weights_b)),
            }
        )
    return cases


def divergences(rng: np.random.Generator) -> list[dict]:
    pairs = [(rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(k))) for k in (2, 5, 20)]
    pairs += [(np.array([3.0, 0, 7]), np.array([2.0, 5, 4])), (np.array([1.0, 2]), np.array([2.0, 4]))]
    pairs += [(np.array([1.0, 0]), np.array([0.0, 1]))]
    return [
        {
            "p": p.tolist(),
            "q": q.tolist(),
            "js": float(jensenshannon(p, q)),
            # JSON has no infinity
            "kl": float(stats.entropy(p, q)) if np.isfinite(stats.entropy(p, q)) else None,
        }
        for p, q in pairs
    ]


def false_discovery(rng: np.random.Generator) -> list[dict]:
    lists = [rng.random(20), rng.random(7) ** 4, np.array([0.01, 0.01, 0.5, 1.0, 0.0]), np.array([0.3])]
    return [{"ps": ps.tolist(), "adjusted": stats.false_discovery_control(ps).tolist()} for ps in lists]


def rank_correlation(rng: np.random.Generator) -> list[dict]:
    cases = []
    for n in (3, 6, 14, 60):
        a = rng.normal(size=n)
        for b in (a + rng.normal(size=n), rng.normal(size=n), np.round(a), -a):
            result = stats.spearmanr(a, b)
            cases.append({"a": a.tolist(), "b": b.tolist(), "statistic": float(result[0]), "p": float(result[1])})
    return [case for case in cases if np.isfinite(case["statistic"]) and np.isfinite(case["p"])]


def chi_squared_quantiles() -> list[dict]:
    return [
        {"probability": q, "degrees": df, "x": float(stats.chi2.isf(q, df))}
        for q in (0.5, 0.05, 0.001, 1e-6)
        for df in (1, 2, 9, 24, 300)
    ]


if __name__ == "__main__":
    generator = np.random.default_rng(20250630)
    cases = {
        "ks": ks(generator),
        "kolmogorov": kolmogorov(),
        "contingency": contingency(generator),
        "goodnessOfFit": goodness_of_fit(generator),
        "fisher": fisher(),
        "wasserstein": wasserstein(generator),
        "divergences": divergences(generator),
        "falseDiscovery": false_discovery(generator),
        "rankCorrelation": rank_correlation(generator),
        "chiSquaredQuantiles": chi_squared_quantiles(),
    }
    Path(sys.argv[1]).write_text(json.dumps(cases, allow_nan=False))
