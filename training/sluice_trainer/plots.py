"""Pictures of an evaluation, as PNG."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from .metrics import Confusion, Scored, calibration_bins

# Beyond this a curve has more points than the picture has pixels.
MAX_POINTS = 2_000


def _thinned(*curves: np.ndarray) -> list[np.ndarray]:
    keep = np.unique(np.linspace(0, len(curves[0]) - 1, MAX_POINTS).astype(int))
    return [curve[keep] for curve in curves]


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    # no software version or date inside, so that the same figures give the same file
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _axes(title: str, x: str, y: str) -> tuple[plt.Figure, plt.Axes]:
    figure, axes = plt.subplots(figsize=(5.5, 4.5))
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def _operating_marker(axes: plt.Axes, x: float | None, y: float | None) -> None:
    if x is not None and y is not None:
        axes.plot(x, y, "o", color="tab:red", label="operating threshold")


def draw(models: dict[str, Scored], thresholds: dict[str, float], directory: Path) -> None:
    """ROC, precision-recall, calibration and confusion of each model by name ("candidate", "champion"), where both classes exist."""
    models = {name: scored for name, scored in models.items() if 0 < scored.labels.sum() < len(scored)}
    if not models:
        return
    directory.mkdir(parents=True, exist_ok=True)
    at = {
        name: Confusion.of(scored.labels, scored.probabilities >= thresholds[name]) for name, scored in models.items()
    }

    figure, axes = _axes("Receiver operating characteristic", "false positive rate", "recall")
    for name, scored in models.items():
        false_positive_rate, recall, _ = roc_curve(scored.labels, scored.scores)
        axes.plot(*_thinned(false_positive_rate, recall), label=name)
    _operating_marker(axes, at["candidate"].false_positive_rate, at["candidate"].recall)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    axes.legend(loc="lower right")
    _save(figure, directory / "roc.png")

    figure, axes = _axes("Precision and recall", "recall", "precision")
    for name, scored in models.items():
        precision, recall, _ = precision_recall_curve(scored.labels, scored.scores)
        axes.plot(*_thinned(recall, precision), label=name)
    _operating_marker(axes, at["candidate"].recall, at["candidate"].precision)
    axes.legend(loc="lower left")
    _save(figure, directory / "precision_recall.png")

    figure, axes = _axes("Calibration (bins of equal count)", "predicted probability", "observed share of frauds")
    for name, scored in models.items():
        bins = calibration_bins(scored.labels, scored.probabilities)
        axes.plot(
            [part["predicted"] for part in bins], [part["observed"] for part in bins], "o-", markersize=3, label=name
        )
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    axes.legend(loc="upper left")
    _save(figure, directory / "calibration.png")

    cells = at["candidate"]
    figure, axes = _axes("Confusion at the operating threshold", "decision", "label")
    axes.grid(visible=False)
    counts = np.array([[cells.true_negatives, cells.false_positives], [cells.false_negatives, cells.true_positives]])
    axes.imshow(np.log10(counts + 1), cmap="Blues")
    axes.set_xticks([0, 1], ["pass", "alert"])
    axes.set_yticks([0, 1], ["good", "fraud"])
    middle = np.log10(counts + 1).max() / 2
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if np.log10(count + 1) > middle else "black"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    _save(figure, directory / "confusion.png")
