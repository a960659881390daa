"""From the trees' score to a probability."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

# Isotonic regression maps whole ranges of scores to one probability. This share of the score itself on top keeps every two
# scores apart, so that a threshold can spend an alert budget exactly; it moves a probability by less than 0.001.
SLOPE = 1e-3


def fit_isotonic(scores: np.ndarray, labels: np.ndarray) -> tuple[IsotonicRegression, dict[str, list[float]]]:
    """The regression, and the points {x, y} of a strictly rising, piecewise linear map on [0, 1] made from it."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, labels)
    x = np.unique(np.concatenate([[0.0], fitted.X_thresholds_.astype(np.float64), [1.0]]))
    y = (1.0 - SLOPE) * fitted.predict(x).astype(np.float64) + SLOPE * x
    return fitted, {"x": x.tolist(), "y": y.tolist()}
