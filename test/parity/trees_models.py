"""
Random tree ensembles as ONNX, for the scorer's tree kernel to be compared on, and what LightGBM itself says about scores.

    python trees_models.py OUT_DIR

Writes NAME.onnx for each, rows.f32 (float32 rows of WIDTH values, a tenth of them missing), and models.json: for each
model its kind and whether it is a classifier. Then explained.onnx, explained.f32 and contributions.f64 (rows of WIDTH + 1
values, the last one the base value): a booster as a release exports it, and its `pred_contrib`.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training"))

import lightgbm as lgb
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
from sluice_trainer.float32 import with_float32_thresholds
from sluice_trainer.forest import forest_to_onnx
from sluice_trainer.onnx_trees import booster_to_onnx

WIDTH = 6
CATEGORIES = [4, 5]
ROWS = 600
EXPLAINED_ROWS = 5_000


def rows_of(rng: np.random.Generator, count: int, missing: float) -> np.ndarray:
    """Continuous, discrete and skewed values; the last two columns are categories."""
    columns = [
        rng.normal(0, 2, count),
        rng.gamma(2, 50, count),
        rng.integers(-3, 4, count),
        rng.uniform(0, 1e-3, count),
        rng.integers(0, 9, count),
        rng.integers(0, 24, count),
    ]
    values = np.column_stack(columns).astype(np.float32)
    values[rng.random(values.shape) < missing] = np.nan
    return values


def labels_of(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    known = np.nan_to_num(x)
    signal = known[:, 0] + known[:, 1] / 50 + np.isin(known[:, 4], [1, 3, 7]) * 2 + (known[:, 5] % 5 == 0)
    return (signal + rng.normal(0, 1, len(x)) > 4).astype(int)


def booster_of(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, trees: int, **more: object) -> lgb.Booster:
    categories = more.pop("categorical_feature", "auto")
    params = {
        "objective": "binary",
        "num_leaves": int(rng.integers(2, 40)),
        "min_data_in_leaf": int(rng.integers(1, 20)),
        "learning_rate": 0.1,
        "seed": int(rng.integers(1 << 30)),
        "num_threads": 2,
        "verbosity": -1,
        **more,
    }
    return lgb.train(params, lgb.Dataset(x, y, categorical_feature=categories, params=params), trees)


def lightgbm_missing(rng: np.random.Generator) -> bytes:
    x = rows_of(rng, ROWS, missing=float(rng.choice([0, 0.1, 0.3])))
    more = {"use_missing": bool(rng.random() < 0.8), "zero_as_missing": bool(rng.random() < 0.2)}
    return booster_to_onnx(booster_of(rng, x, labels_of(rng, x), int(rng.integers(1, 40)), **more))


def lightgbm_categories(rng: np.random.Generator) -> bytes:
    x = rows_of(rng, ROWS, missing=0.1)
    # categories are never missing: LightGBM then takes them as a category of their own, which ONNX has no word for
    x[:, CATEGORIES] = np.nan_to_num(x[:, CATEGORIES])
    more = {"categorical_feature": CATEGORIES, "min_data_per_group": 5, "cat_smooth": 1, "max_cat_to_onehot": 2}
    booster = booster_of(rng, x, labels_of(rng, x), int(rng.integers(1, 12)), **more)
    types = [("features", FloatTensorType([None, WIDTH]))]
    return convert_lightgbm(with_float32_thresholds(booster), initial_types=types, zipmap=False).SerializeToString()


def scikit_forest(rng: np.random.Generator) -> bytes:
    x = np.nan_to_num(rows_of(rng, ROWS, missing=0))
    kind = RandomForestClassifier if rng.random() < 0.5 else ExtraTreesClassifier
    settings = {"max_depth": int(rng.integers(1, 10)), "random_state": int(rng.integers(1 << 30))}
    model = kind(n_estimators=int(rng.integers(1, 30)), **settings).fit(x, labels_of(rng, x))
    types = [("features", data_types.FloatTensorType([None, WIDTH]))]
    return to_onnx(model, initial_types=types, options={"zipmap": False}).SerializeToString()


def isolation_forest(rng: np.random.Generator) -> bytes:
    x = np.nan_to_num(rows_of(rng, ROWS, missing=0))
    samples, features = int(rng.integers(2, 256)), float(rng.choice([0.5, 1.0]))
    seed = int(rng.integers(1 << 30))
    forest = IsolationForest(
        n_estimators=int(rng.integers(1, 30)), max_samples=samples, max_features=features, random_state=seed
    )
    return forest_to_onnx(forest.fit(x), WIDTH)


def generic_isolation_forest(rng: np.random.Generator) -> bytes:
    """skl2onnx's own export: general operators around the trees, which the kernel leaves to ONNX Runtime."""
    x = np.nan_to_num(rows_of(rng, ROWS, missing=0))
    forest = IsolationForest(n_estimators=3, random_state=int(rng.integers(1 << 30))).fit(x)
    types = [("features", data_types.FloatTensorType([None, WIDTH]))]
    return to_onnx(forest, initial_types=types, target_opset={"": 15, "ai.onnx.ml": 3}).SerializeToString()


KINDS = [
    (lightgbm_missing, 75, True),
    (lightgbm_categories, 45, True),
    (scikit_forest, 40, True),
    (isolation_forest, 38, False),
    (generic_isolation_forest, 2, False),
]


def explained(out: Path, rng: np.random.Generator) -> None:
    x = rows_of(rng, EXPLAINED_ROWS, missing=0.05)
    booster = booster_of(rng, x, labels_of(rng, x), 120, num_leaves=31)
    (out / "explained.onnx").write_bytes(booster_to_onnx(booster))
    x.tofile(out / "explained.f32")
    np.asarray(with_float32_thresholds(booster).predict(x, pred_contrib=True), dtype=np.float64).tofile(
        out / "contributions.f64"
    )


def main() -> None:
    # each converter warns of the versions that it has not been tried with
    warnings.filterwarnings("ignore")
    out, rng = Path(sys.argv[1]), np.random.default_rng(20250630)
    models = []
    for make, count, is_classifier in KINDS:
        for number in range(count):
            name = f"{make.__name__}-{number}"
            (out / f"{name}.onnx").write_bytes(make(rng))
            models.append({"name": name, "kind": make.__name__, "classifier": is_classifier})
    rows_of(rng, 500, missing=0.1).tofile(out / "rows.f32")
    explained(out, rng)
    (out / "models.json").write_text(json.dumps(models))


if __name__ == "__main__":
    main()
