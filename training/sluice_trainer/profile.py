"""
What the training data looked like, column by column: the reference that scored data is compared with.

It holds figures only, so no row can be read from it, and it knows of a feature what the job says: number or category, and which
value stands for "missing".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import TrainerError
from .job import required
from .scorer import Scorer
from .table import TEST, TRAIN, Table

# Steps of a tenth of a per cent: as fine as a comparison with some thousand rows can tell apart.
PROBABILITIES = np.arange(1001) / 1000


def columns_of(job: dict[str, Any], feature_names: list[str]) -> list[dict[str, Any]]:
    """The job's word on each feature, in the table's order; InvalidInput where it speaks of others."""
    columns = required(job, "columns", list)
    if [column.get("name") for column in columns] != feature_names:
        raise TrainerError(
            "InvalidInput", f"The Parquet has the features {feature_names}, the job's columns say otherwise."
        )
    return columns


def reference_profile(
    table: Table, scorer: Scorer, operating: dict[str, Any], columns: list[dict[str, Any]], as_of: str
) -> dict[str, Any]:
    """
    The content of reference_profile.json: features and target of the rows that the model was fitted on; scores of the held-out
    rows, because on its own training rows a model is surer than it will ever be again.
    `operating` is the operating entry of per_category_thresholds.json.
    """
    fitted, held_out = table.part(TRAIN), table.part(TEST)
    if len(held_out) == 0:
        raise TrainerError("TrainingFailed", "The test part has no rows; raise data.test_fraction in the model's spec.")
    probabilities = scorer.calibrated(scorer.scores(held_out.features))
    return {
        "as_of": as_of,
        "rows": len(fitted),
        "features": [described(fitted.features[:, position], column) for position, column in enumerate(columns)],
        "score": {
            "count": len(held_out),
            "quantiles": quantiles(probabilities),
            "alert_rate": float((probabilities >= thresholds_of(held_out.segments, operating)).mean()),
        },
        "target": {"count": len(fitted), "rate": float(fitted.labels.mean())},
        "segments": segment_scores(held_out.segments, probabilities),
    }


def described(values: np.ndarray, column: dict[str, Any]) -> dict[str, Any]:
    """One feature. A value equal to the null policy's, as float32, is a missing one, for nobody can tell them apart later either."""
    missing = ~np.isfinite(values)
    if column["missing_value"] is not None:
        missing |= values == np.float32(column["missing_value"])
    present = values[~missing].astype(np.float64)
    entry = {name: column[name] for name in ("name", "kind", "missing_value", "period_hours")} | {
        "count": len(present),
        "missing_fraction": float(missing.mean()),
    }
    if column["kind"] == "categorical":
        found, counts = np.unique(present, return_counts=True)
        pairs = zip(found.tolist(), counts.tolist(), strict=True)
        return entry | {"categories": [{"value": value, "count": count} for value, count in pairs]}
    return entry | {
        "mean": float(present.mean()) if len(present) else None,
        "std": float(present.std()) if len(present) else None,
        "quantiles": quantiles(present),
    }


def quantiles(values: np.ndarray) -> list[float]:
    """Values at PROBABILITIES, with linear interpolation; none of no values."""
    return np.quantile(values.astype(np.float64), PROBABILITIES).tolist() if len(values) else []


def thresholds_of(segments: np.ndarray, operating: dict[str, Any]) -> np.ndarray:
    """Each row's operating threshold."""
    own = operating["per_category"]
    return np.array([own.get(segment, operating["threshold"]) for segment in segments.tolist()])


def segment_scores(segments: np.ndarray, probabilities: np.ndarray) -> list[dict[str, Any]]:
    """Rows and mean probability by segment; rows without one are left out."""
    return [
        {
            "name": segment,
            "count": int((segments == segment).sum()),
            "mean_score": float(probabilities[segments == segment].mean()),
        }
        for segment in sorted(set(segments.tolist()) - {""})
    ]
