"""
Figures of a model on held-out rows, as pure functions. A figure that cannot be computed is None, never a number:
no data is never a pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from .thresholds import budget_name

MS_PER_DAY = 86_400_000
CALIBRATION_BINS = 20

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Scored:
    """Held-out rows and what a model says of them. `scores` rank; `probabilities` are calibrated and meet the thresholds."""

    labels: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    booked_at: np.ndarray
    segments: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


@dataclass(frozen=True)
class Confusion:
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @staticmethod
    def of(labels: np.ndarray, alerts: np.ndarray) -> Confusion:
        fraud = labels == 1
        return Confusion(
            *(int(np.sum(cell)) for cell in (fraud & alerts, ~fraud & alerts, fraud & ~alerts, ~fraud & ~alerts))
        )

    @property
    def alerts(self) -> int:
        return self.true_positives + self.false_positives

    @property
    def rows(self) -> int:
        return self.alerts + self.false_negatives + self.true_negatives

    @property
    def precision(self) -> float | None:
        return ratio(self.true_positives, self.alerts)

    @property
    def recall(self) -> float | None:
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        if not self.true_positives + self.false_negatives:
            return None
        return ratio(2 * self.true_positives, self.alerts + self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float | None:
        return ratio(self.false_positives, self.false_positives + self.true_negatives)


def precision_at(labels: np.ndarray, scores: np.ndarray, share: float) -> float | None:
    """Precision among the share of rows with the highest scores, rounded up to whole rows; ties go by time, the earlier first."""
    if len(labels) == 0:
        return None
    count = math.ceil(share * len(labels))
    return float(labels[np.argsort(-scores, kind="stable")[:count]].mean())


def calibration_bins(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS
) -> list[dict[str, float]]:
    """Rows by rising probability in bins of equal count: mean probability and share of frauds in each."""
    order = np.argsort(probabilities, kind="stable")
    return [
        {"rows": len(part), "predicted": float(probabilities[part].mean()), "observed": float(labels[part].mean())}
        for part in np.array_split(order, bins)
        if len(part)
    ]


def expected_calibration_error(bins: list[dict[str, float]]) -> float | None:
    """Mean distance between predicted and observed, weighted by rows (Naeini et al. 2015; here with bins of equal count)."""
    total = sum(part["rows"] for part in bins)
    return ratio(sum(part["rows"] * abs(part["predicted"] - part["observed"]) for part in bins), total)


def metrics_of(scored: Scored, thresholds: dict[str, Any], budgets: list[float], review_cost: float) -> Metrics:
    """
    Every figure but the latency. Rates are shares of 1. `daily_alerts` is per day between the first and the last row;
    `cost_per_alert` is what the reviews cost per fraud they catch: review cost × alerts / true positives;
    `fraud_caught_rate` counts frauds, not money.
    """
    labels, scores, probabilities = scored.labels, scored.scores, scored.probabilities
    both = 0 < int(labels.sum()) < len(labels)
    at = Confusion.of(labels, probabilities >= thresholds["operating"]["threshold"])
    days = float(np.ptp(scored.booked_at)) / MS_PER_DAY if len(scored) else 0.0
    spent = ratio(review_cost * at.alerts, at.true_positives)
    metrics: Metrics = {
        "test_rows": len(scored),
        "test_positives": int(labels.sum()),
        "auc_roc": roc_auc_score(labels, scores) if both else None,
        "auc_pr": average_precision_score(labels, scores) if both else None,
        "log_loss": log_loss(labels, probabilities) if both else None,
        "precision": at.precision,
        "recall": at.recall,
        "f1_score": at.f1,
        "alert_rate": ratio(at.alerts, at.rows),
        "daily_alerts": ratio(at.alerts, days),
        "false_positive_rate": at.false_positive_rate,
        "fraud_caught_rate": at.recall,
        "cost_per_alert": spent,
        "ece": expected_calibration_error(calibration_bins(labels, probabilities)),
        "brier": brier_score_loss(labels, probabilities) if both else None,
        "operating_threshold": thresholds["operating"]["threshold"],
    }
    for budget in budgets:
        name = budget_name(budget)
        metrics[f"precision_at_{name}"] = precision_at(labels, scores, budget) if both else None
        spending = thresholds["budgets"].get(name)
        if spending is not None:
            inside = Confusion.of(labels, probabilities >= spending["threshold"])
            metrics[f"budget_{name}_threshold"] = spending["threshold"]
            metrics[f"budget_{name}_alert_rate"] = ratio(inside.alerts, inside.rows)
            metrics[f"budget_{name}_precision"] = inside.precision
            metrics[f"budget_{name}_recall"] = inside.recall
    return {name: finite(value) for name, value in metrics.items()}


def segment_table(scored: Scored, threshold: float) -> list[dict[str, Any]]:
    """The operating threshold's figures within each segment."""
    rows = []
    for segment in sorted(set(scored.segments.tolist())):
        here = scored.segments == segment
        at = Confusion.of(scored.labels[here], scored.probabilities[here] >= threshold)
        figures = {
            "precision": at.precision,
            "recall": at.recall,
            "f1_score": at.f1,
            "false_positive_rate": at.false_positive_rate,
        }
        rows.append(
            {
                "segment": segment,
                "rows": at.rows,
                "positives": at.true_positives + at.false_negatives,
                "alerts": at.alerts,
                **figures,
            }
        )
    return rows
