"""Thresholds that mean the same in float32 as in float64."""

from __future__ import annotations

import re

import lightgbm as lgb
import numpy as np


def round_down(thresholds: np.ndarray) -> np.ndarray:
    """
    The largest float32 that is not above each float64 threshold.
    For a float32 x, `x <= t` and `x <= round_down(t)` always agree; rounding to nearest may land on a value above t.
    """
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def with_float32_thresholds(booster: lgb.Booster) -> lgb.Booster:
    """The same trees with every split threshold a float32, so that the export to ONNX has nothing to round."""

    def rounded(line: re.Match[str]) -> str:
        values = round_down(np.array(line[1].split(), dtype=np.float64))
        return "threshold=" + " ".join(repr(float(value)) for value in values)

    text = re.sub(r"^threshold=(.+)$", rounded, booster.model_to_string(), flags=re.MULTILINE)
    # LightGBM finds each tree by the byte counts in this line, which the new thresholds changed; without it, it reads in order.
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
    return lgb.Booster(model_str=text)
