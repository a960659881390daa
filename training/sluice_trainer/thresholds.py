"""
Thresholds on the calibrated probability, chosen on validation data and nowhere else.

The operating threshold decides, and the gates judge it. An alert budget says which share of transactions may be looked at;
its thresholds spend that share, over all rows and within each segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# A segment's own budget threshold needs this many alerts in validation; with fewer it would follow single rows.
MIN_ALERTS_PER_SEGMENT = 5


@dataclass(frozen=True)
class OperatingPoint:
    threshold: float
    precision: float
    recall: float
    f1: float
    floors_met: bool


def _cuts(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Every way to split the rows by a threshold: the row order (highest first), how many rows lie above each cut, and a
    threshold for it half-way to the next value, so that the last digit of a probability decides nothing.
    """
    order = np.argsort(-probabilities, kind="stable")
    ordered = probabilities[order]
    ends = np.flatnonzero(np.append(ordered[:-1] != ordered[1:], True))
    above = ordered[ends]
    below = np.append(above[1:], above[-1])
    middle = (above + below) / 2
    return order, ends + 1, np.where(middle > below, middle, above)


def operating_point(labels: np.ndarray, probabilities: np.ndarray, spec: dict[str, Any]) -> OperatingPoint:
    """
    The threshold of the highest F1 among those that keep the spec's floors (min_precision, min_recall) on these rows.
    The floors lie above the gates, so that a passing threshold stays a passing one on later data. If no threshold keeps them,
    the highest F1 of all: then the gates on held-out data decide, as they must.
    """
    order, counts, thresholds = _cuts(probabilities)
    caught = np.cumsum(labels[order], dtype=np.int64)[counts - 1]
    precision, recall = caught / counts, caught / max(int(labels.sum()), 1)
    f1 = 2 * caught / (counts + max(int(labels.sum()), 1))
    keeps = (precision >= spec.get("min_precision", 0.0)) & (recall >= spec.get("min_recall", 0.0))
    floors_met = bool(keeps.any())
    best = int(np.argmax(np.where(keeps, f1, -1.0) if floors_met else f1))
    return OperatingPoint(
        float(thresholds[best]), float(precision[best]), float(recall[best]), float(f1[best]), floors_met
    )


def budget_threshold(probabilities: np.ndarray, budget: float, at_least: int = 1) -> float | None:
    """The lowest threshold that alerts on no more than this share of the rows; None if that is fewer than `at_least` rows."""
    if len(probabilities) == 0:
        return None
    _, counts, thresholds = _cuts(probabilities)
    within = np.flatnonzero(counts <= budget * len(probabilities))
    if len(within) == 0 or counts[within[-1]] < at_least:
        return None
    return float(thresholds[within[-1]])


def budget_name(budget: float) -> str:
    """0.005 → `0.5pct`"""
    return f"{budget * 100:g}pct"


def per_category_thresholds(
    operating: float, probabilities: np.ndarray, segments: np.ndarray, budgets: list[float]
) -> dict[str, Any]:
    """The content of per_category_thresholds.json. The gates judge one operating threshold, so no segment has its own."""
    entries: dict[str, Any] = {}
    for budget in budgets:
        overall = budget_threshold(probabilities, budget)
        own = {
            segment: budget_threshold(probabilities[segments == segment], budget, MIN_ALERTS_PER_SEGMENT)
            for segment in sorted(set(segments.tolist()) - {""})
        }
        # With fewer rows than one alert's worth the budget affords none: nothing lies above 1.
        entries[budget_name(budget)] = {
            "threshold": 1.0 if overall is None else overall,
            "per_category": {segment: threshold for segment, threshold in own.items() if threshold is not None},
        }
    return {"operating": {"threshold": operating, "per_category": {}}, "budgets": entries}
