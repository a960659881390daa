"""The `score` command: features in, scores out. Used when a bundle is composed, for its golden vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import TrainerError
from .events import Events
from .job import required
from .scorer import Scorer


def run(job: dict[str, Any], _events: Events) -> dict[str, Any]:
    rows = required(job, "features", list)
    try:
        features = np.array(rows, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise TrainerError("InvalidInput", f"The job's features are not a table of numbers: {error}") from error
    if not np.isfinite(features).all():
        raise TrainerError("InvalidInput", "The job's features hold values that are not finite.")
    scorer = Scorer.of_directory(required(job, "bundle_dir", str))
    scores = scorer.scores(features)
    return {
        "scores": scores.tolist(),
        "calibrated": scorer.calibrated(scores).tolist(),
        "anomaly": scorer.anomalies(features).tolist(),
    }
