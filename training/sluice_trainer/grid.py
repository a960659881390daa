"""Optional search over parameters, on the training part alone: validation and test stay unseen by it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from . import boosting
from .events import Events
from .table import Table, require_both_classes
from .tracking import OpenRun, Tracking

FOLDS = 3


def folds(table: Table) -> list[tuple[Table, Table]]:
    """Fold k learns from the first k+1 of four equal stretches of time and is judged on the next: never on its own past."""
    stretch = np.arange(len(table)) * (FOLDS + 1) // len(table)
    return [(table.where(stretch <= fold), table.where(stretch == fold + 1)) for fold in range(FOLDS)]


def search(
    table: Table, base: dict[str, Any], grid: dict[str, list[Any]], *, seed: int, threads: int,
    tracking: Tracking, parent: OpenRun, tags: dict[str, str], events: Events,
) -> dict[str, Any]:  # fmt: skip
    """The parameters with the highest mean AUPRC over the folds, the first of equals; each choice is a run below the parent."""
    boosting.check_params(dict.fromkeys(grid, 1) | {"n_estimators": 1}, "spec.trainer.grid")
    choices = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    pairs = folds(table)
    for fold, (learn, judge) in enumerate(pairs):
        require_both_classes(learn, f"grid search's fold {fold + 1} training")
        require_both_classes(judge, f"grid search's fold {fold + 1} validation")
    best, best_figure = base, -1.0
    for number, choice in enumerate(choices):
        params = base | choice
        with tracking.run(f"grid {number + 1}", tags, parent=parent.run_id) as run:
            figures = []
            for fold, (learn, judge) in enumerate(pairs):
                booster, _ = boosting.fit(learn, params, seed=seed, threads=threads)
                figures.append(
                    float(average_precision_score(judge.labels, boosting.predict(booster, judge.features, threads)))
                )
                events.progress(
                    "grid", (number * FOLDS + fold + 1) / (len(choices) * FOLDS), f"{choice}: AUPRC {figures[-1]:.4f}"
                )
            mean = float(np.mean(figures))
            run.params(params)
            run.metrics(
                {"cv_auc_pr": mean} | {f"cv_auc_pr_fold_{fold + 1}": figure for fold, figure in enumerate(figures)}
            )
        if mean > best_figure:
            best, best_figure = params, mean
    parent.metrics({"cv_auc_pr": best_figure})
    return best
