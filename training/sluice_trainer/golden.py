"""Rows with known answers, which every scorer that loads the bundle must reproduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from .scorer import Scorer
from .table import Table, read_raw


def choose(segments: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    """
    Positions of up to `count` rows, the same on every run: segment by segment in turn, the lowest and the highest score first,
    then ever finer between them. So each segment is there, and within it quiet rows and loud ones.
    """
    ranked = {
        segment: np.flatnonzero(segments == segment)[np.argsort(scores[segments == segment], kind="stable")]
        for segment in sorted(set(segments.tolist()))
    }
    chosen: dict[int, None] = {}
    for level in range(1, count + 1):
        for rows in ranked.values():
            for position in np.linspace(0, len(rows) - 1, level + 1).round().astype(int):
                if len(chosen) == count:
                    return np.array(list(chosen))
                chosen.setdefault(int(rows[position]))
        if len(chosen) == len(scores):
            break
    return np.array(list(chosen))


def golden_features(table: Table, parquet: str, scorer: Scorer, count: int) -> dict[str, Any]:
    """The content of golden_features.json, from rows the trees were not fitted on."""
    rows = table.where(choose(table.segments, scorer.scores(table.features), count))
    raw = read_raw(parquet, rows.row_ids.tolist())
    scores = scorer.scores(rows.features)
    calibrated, anomalies = scorer.calibrated(scores), scorer.anomalies(rows.features)
    return {
        "feature_names": table.feature_names,
        "rows": [
            {
                "row_id": row_id,
                "raw": raw[row_id],
                "features": [float(value) for value in rows.features[position]],
                "score": float(scores[position]),
                "calibrated_probability": float(calibrated[position]),
                "anomaly_score": float(anomalies[position]),
            }
            for position, row_id in enumerate(rows.row_ids.tolist())
        ],
    }
