"""A bundle's models as the scorer runs them. Needs numpy and onnxruntime only."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime

from .errors import TrainerError

BATCH_ROWS = 65_536


def session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def calibrate(scores: np.ndarray, isotonic: dict[str, list[float]]) -> np.ndarray:
    """Piecewise linear between the points {x, y}, flat beyond both ends."""
    return np.interp(scores.astype(np.float64), isotonic["x"], isotonic["y"])


class Scorer:
    """Scores rows of float32 features. All results are float64 [n]."""

    def __init__(self, pipeline: bytes, forest: bytes, isotonic: dict[str, list[float]], threads: int = 1) -> None:
        self._pipeline = session(pipeline, threads)
        self._forest = session(forest, threads)
        self._isotonic = isotonic
        self.feature_count = int(self._pipeline.get_inputs()[0].shape[1])

    @staticmethod
    def of_directory(directory: str | Path, threads: int = 1) -> Scorer:
        root = Path(directory)
        try:
            pipeline, forest = (root / "pipeline.onnx").read_bytes(), (root / "if_pipe.onnx").read_bytes()
            isotonic = json.loads((root / "isotonic.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainerError("InvalidInput", f"The bundle in {root} cannot be read: {error}") from error
        return Scorer(pipeline, forest, isotonic, threads)

    def scores(self, features: np.ndarray) -> np.ndarray:
        return self._run(self._pipeline, features, lambda out: out[:, 1])

    def calibrated(self, scores: np.ndarray) -> np.ndarray:
        return calibrate(scores, self._isotonic)

    def anomalies(self, features: np.ndarray) -> np.ndarray:
        return self._run(self._forest, features, lambda out: out[:, 0])

    def _run(self, model: onnxruntime.InferenceSession, features: np.ndarray, column) -> np.ndarray:
        if features.ndim != 2 or features.shape[1] != self.feature_count:
            raise TrainerError(
                "InvalidInput",
                f"The model takes {self.feature_count} features; the rows have shape {list(features.shape)}.",
            )
        parts = [
            column(model.run(None, {"features": features[start : start + BATCH_ROWS]})[0])
            for start in range(0, len(features), BATCH_ROWS)
        ]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)

    def latencies_ms(self, features: np.ndarray, warm_up: int) -> np.ndarray:
        """Milliseconds for each row scored alone: probability, calibration and anomaly score. The first `warm_up` do not count."""
        taken = np.empty(len(features))
        for position in range(len(features)):
            row = features[position : position + 1]
            start = time.perf_counter()
            probabilities = self._pipeline.run(None, {"features": row})[0]
            self.calibrated(probabilities[:, 1])
            self._forest.run(None, {"features": row})
            taken[position] = (time.perf_counter() - start) * 1000
        return taken[warm_up:]
