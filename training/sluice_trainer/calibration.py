"""From the trees' score to a probability."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

# Points closer than this are merged. It bounds the map's slope: scores differ in their last bit from machine to machine
# (some 1e-7), and between two close points a steep line would turn that into another probability.
MIN_GAP = 2e-3
# Below the first and above the last point all scores would have one probability. This share of the score itself on top keeps every
# two scores apart, so that a threshold can spend an alert budget exactly; it moves a probability by less than 0.001.
SLOPE = 1e-3


def fit_isotonic(scores: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """
    Points {x, y} of a strictly rising, piecewise linear map on [0, 1].

    Centered isotonic regression (Oron and Flournoy 2017): isotonic regression is a staircase; each step becomes one point, at the mean
    score of its rows, and straight lines join the points. So no jump is left, and calibration within each step is kept.
    """
    steps = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(scores, labels)
    levels, step_of = np.unique(steps, return_inverse=True)
    rows = np.bincount(step_of).astype(np.float64)
    x = np.bincount(step_of, weights=scores) / rows
    x, y = _merged(x, levels.astype(np.float64), rows)
    x, y = np.concatenate([[0.0], x, [1.0]]), np.concatenate([y[:1], y, y[-1:]])
    return {"x": x.tolist(), "y": ((1.0 - SLOPE) * y + SLOPE * x).tolist()}


def _merged(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours closer than MIN_GAP as one point, at their mean by rows."""
    points: list[list[float]] = []
    for px, py, count in zip(x, y, rows, strict=True):
        points.append([float(px), float(py), float(count)])
        while len(points) > 1 and points[-1][0] - points[-2][0] < MIN_GAP:
            (ax, ay, an), (bx, by, bn) = points[-2], points[-1]
            points[-2:] = [[(ax * an + bx * bn) / (an + bn), (ay * an + by * bn) / (an + bn), an + bn]]
    # the ends of the map lie at 0 and 1
    inside = np.clip([point[0] for point in points], 1e-6, 1.0 - 1e-6)
    return inside, np.array([point[1] for point in points])
