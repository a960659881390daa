"""The `evaluate` command: figures on the held-out part, for the candidate and, on the same rows, for the champion."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from . import metrics as figures
from .errors import TrainerError
from .events import Events
from .job import required
from .metrics import Metrics, Scored
from .plots import draw
from .scorer import Scorer
from .table import TEST, Table, read_table
from .tracking import OpenRun, Tracking

LATENCY_ROWS, LATENCY_WARM_UP = 2_200, 200


class Contender:
    """A bundle's models and thresholds on the held-out rows, with the features that its own lookups give them."""

    def __init__(self, bundle_dir: str | Path, parquet: str, spec: dict[str, Any]) -> None:
        self.rows: Table = read_table(parquet, only=TEST)
        self._scorer = Scorer.of_directory(bundle_dir, int(spec["trainer"]["threads"]))
        # A request is one row and has one thread: the scorer's models run so.
        self._single = Scorer.of_directory(bundle_dir, 1)
        self.thresholds: dict[str, Any] = read_json(Path(bundle_dir) / "per_category_thresholds.json")
        scores = self._scorer.scores(self.rows.features)
        self.scored = Scored(
            self.rows.labels, scores, self._scorer.calibrated(scores), self.rows.booked_at, self.rows.segments
        )

    def metrics(self, spec: dict[str, Any]) -> Metrics:
        found = figures.metrics_of(self.scored, self.thresholds, spec["alert_budgets"], spec["costs"]["review"])
        return found | self._latencies()

    def _latencies(self) -> Metrics:
        if len(self.rows) == 0:
            return {"scoring_latency_p50_ms": None, "scoring_latency_p99_ms": None}
        rows = self.rows.features[np.arange(LATENCY_ROWS) % len(self.rows)]
        taken = self._single.latencies_ms(rows, LATENCY_WARM_UP)
        return {f"scoring_latency_p{share}_ms": float(np.percentile(taken, share)) for share in (50, 99)}


def run(job: dict[str, Any], events: Events) -> dict[str, Any]:
    spec, output = required(job, "spec", dict), Path(required(job, "output", str))
    output.mkdir(parents=True, exist_ok=True)
    events.progress("connect", 0)
    tracking = Tracking(required(job, "mlflow.tracking_uri", str), required(job, "mlflow.experiment", str))
    opened = tracking.existing(required(job, "run_id", str))
    bundle_dir = job.get("bundle_dir") or opened.download("bundle", output)

    events.progress("score", 0)
    candidate = Contender(bundle_dir, required(job, "parquet", str), spec)
    contenders, answer = {"candidate": candidate}, None
    found = candidate.metrics(spec)
    if job.get("champion") is not None:
        events.progress("score", 0.5, "the champion on the same rows")
        champion = Contender(required(job, "champion.bundle_dir", str), required(job, "champion.parquet", str), spec)
        require_same_rows(candidate.rows, champion.rows)
        contenders["champion"] = champion
        answer = {"version": required(job, "champion.version", str), "metrics": champion.metrics(spec)}

    events.progress("draw", 0)
    # A re-based bundle is judged once more with newer lookups: that is logged beside the first evaluation, not over it.
    prefix = required(job, "label", str)
    report = output / "report"
    draw(
        {name: contender.scored for name, contender in contenders.items()},
        {name: contender.thresholds["operating"]["threshold"] for name, contender in contenders.items()},
        report / "plots" / prefix,
    )
    result = {"metrics": found, "champion": answer}
    write_tables(report / "evaluation" / prefix, candidate, result)
    events.progress("log", 0)
    log_metrics(opened, prefix, result)
    opened.artifacts(report)
    events.progress("log", 1)
    return result


def require_same_rows(candidate: Table, champion: Table) -> None:
    if not np.array_equal(candidate.row_ids, champion.row_ids) or not np.array_equal(candidate.labels, champion.labels):
        raise TrainerError(
            "InvalidInput",
            f"The champion's held-out rows ({len(champion)}) are not the candidate's ({len(candidate)}), in the same order: "
            "a comparison would mean nothing. Make the champion's features from this release's snapshot.",
        )


def log_metrics(opened: OpenRun, label: str, result: dict[str, Any]) -> None:
    before = "" if label == "" else f"{label}."
    opened.metrics({before + name: value for name, value in result["metrics"].items()})
    if result["champion"] is not None:
        opened.metrics({f"{before}champion.{name}": value for name, value in result["champion"]["metrics"].items()})
        opened.tags({f"sluice.{before}compared_with": result["champion"]["version"]})


def write_tables(directory: Path, candidate: Contender, result: dict[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "metrics.json").write_text(json.dumps(result, allow_nan=False, indent=1) + "\n", encoding="utf-8")
    segments = figures.segment_table(candidate.scored, candidate.thresholds["operating"]["threshold"])
    bins = figures.calibration_bins(candidate.scored.labels, candidate.scored.probabilities)
    for name, rows in (("segments.csv", segments), ("calibration.csv", bins)):
        if rows:
            with (directory / name).open("w", newline="", encoding="utf-8") as lines:
                writer = csv.DictWriter(lines, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError("InvalidInput", f"{path} cannot be read: {error}") from error
