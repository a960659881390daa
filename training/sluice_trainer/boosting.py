"""The boosted trees: parameters, one deterministic fit, its curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightgbm as lgb
import numpy as np

from .errors import TrainerError
from .table import Table

# LightGBM only warns of a name it does not know, so a typo would train another model than the spec says.
TUNABLE = {
    "n_estimators", "num_leaves", "max_depth", "learning_rate", "min_child_samples", "min_child_weight", "min_split_gain",
    "subsample", "subsample_freq", "colsample_bytree", "reg_alpha", "reg_lambda", "max_bin", "scale_pos_weight", "extra_trees",
}  # fmt: skip
CURVE_METRICS = ["binary_logloss", "average_precision"]

Params = dict[str, Any]
Curve = dict[str, list[float]]


def check_params(params: Params, where: str) -> Params:
    unknown = sorted(set(params) - TUNABLE)
    if unknown:
        raise TrainerError("InvalidInput", f"{where} has {unknown}; known are {sorted(TUNABLE)}.")
    if int(params.get("n_estimators", 0)) < 1:
        raise TrainerError("InvalidInput", f"{where} needs n_estimators of at least 1.")
    return params


def fit(
    train: Table,
    params: Params,
    *,
    seed: int,
    threads: int,
    validation: Table | None = None,
    on_iteration: Callable[[float], None] = lambda fraction: None,
) -> tuple[lgb.Booster, Curve]:
    """
    Fits on float32 features. The same rows, parameters, seed, threads and package versions give the same trees.
    The curve holds each validation metric after each iteration; it is empty without a validation part.
    """
    rounds = int(params["n_estimators"])
    settings = {name: value for name, value in params.items() if name != "n_estimators"} | {
        "objective": "binary",
        "metric": CURVE_METRICS if validation is not None else "None",
        "seed": seed,
        "num_threads": threads,
        # Sums in a fixed order, by rows: both are needed for the same trees on every run.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(
        train.features, train.labels, feature_name=train.feature_names, free_raw_data=False, params=settings
    )
    recorded: dict[str, Curve] = {}
    callbacks: list[Callable[..., None]] = [lambda state: on_iteration((state.iteration + 1) / rounds)]
    valid_sets, valid_names = [], []
    if validation is not None:
        valid_sets = [data.create_valid(validation.features, validation.labels)]
        valid_names = ["validation"]
        callbacks.append(lgb.record_evaluation(recorded))
    try:
        booster = lgb.train(settings, data, rounds, valid_sets=valid_sets, valid_names=valid_names, callbacks=callbacks)
    except lgb.basic.LightGBMError as error:
        raise TrainerError("TrainingFailed", f"LightGBM refused the fit: {error}") from error
    return booster, {name: list(values) for name, values in recorded.get("validation", {}).items()}


def predict(booster: lgb.Booster, features: np.ndarray, threads: int) -> np.ndarray:
    """The raw probability of fraud, float64 [n]."""
    return np.asarray(booster.predict(features, num_threads=threads))
