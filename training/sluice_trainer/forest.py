"""
The isolation forest and its ONNX form.

Liu, Ting and Zhou, "Isolation Forest" (2008): a row's anomaly score is 2^(-E[h] / c(m)), with h the path length in a tree plus
c(rows left in the leaf), and c(m) the mean path length of an unsuccessful search among m rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from onnx import helper
from sklearn.ensemble import IsolationForest

from .errors import TrainerError
from .float32 import round_down
from .onnx_trees import INPUT, one_graph

OUTPUT = "anomaly_score"
SETTINGS = {"n_estimators", "max_samples", "max_features", "bootstrap"}


def fit_forest(features: np.ndarray, settings: dict[str, Any], seed: int) -> IsolationForest:
    unknown = sorted(set(settings) - SETTINGS)
    if unknown:
        raise TrainerError(
            "InvalidInput", f"spec.trainer.isolation_forest has {unknown}; known are {sorted(SETTINGS)}."
        )
    return IsolationForest(**settings, random_state=seed, n_jobs=1).fit(features)


def anomaly_scores(forest: IsolationForest, features: np.ndarray) -> np.ndarray:
    """In (0, 1], higher is more anomalous; scikit-learn has the sign the other way round."""
    return -forest.score_samples(features)


def mean_path_length(rows: np.ndarray) -> np.ndarray:
    """c(m) of the paper: 0 for up to one row, 1 for two, else 2·(ln(m-1) + Euler's constant) - 2·(m-1)/m."""
    m = np.asarray(rows, dtype=np.float64)
    many = np.maximum(m, 3)
    long = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(m <= 1, 0.0, np.where(m == 2, 1.0, long))


def forest_to_onnx(forest: IsolationForest, features: int) -> bytes:
    """
    One TreeEnsembleRegressor: a leaf weighs -ln 2 times its path length, divided by trees × c(samples), so that Exp of the
    sum is the score. skl2onnx's own export walks the trees with general operators, which is some hundred times slower a row.
    """
    scale = -math.log(2.0) / (len(forest.estimators_) * float(mean_path_length(forest.max_samples_)))
    nodes: dict[str, list[Any]] = {name: [] for name in ("tree", "id", "feature", "value", "mode", "yes", "no")}
    leaves: dict[str, list[Any]] = {name: [] for name in ("tree", "id", "weight")}
    for index, (estimator, columns) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        depth = np.zeros(tree.node_count)
        for node in range(tree.node_count):  # parents come before their children
            if not is_leaf[node]:
                depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
        weight = scale * (depth + mean_path_length(tree.n_node_samples))
        nodes["tree"] += [index] * tree.node_count
        nodes["id"] += range(tree.node_count)
        nodes["feature"] += [
            0 if leaf else int(columns[feature]) for leaf, feature in zip(is_leaf, tree.feature, strict=True)
        ]
        nodes["value"] += np.where(is_leaf, 0.0, round_down(tree.threshold)).tolist()
        nodes["mode"] += ["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf]
        nodes["yes"] += np.maximum(tree.children_left, 0).tolist()
        nodes["no"] += np.maximum(tree.children_right, 0).tolist()
        leaves["tree"] += [index] * int(is_leaf.sum())
        leaves["id"] += np.flatnonzero(is_leaf).tolist()
        leaves["weight"] += weight[is_leaf].tolist()
    trees = helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        ["log_score"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=nodes["tree"],
        nodes_nodeids=nodes["id"],
        nodes_featureids=nodes["feature"],
        nodes_values=nodes["value"],
        nodes_modes=nodes["mode"],
        nodes_truenodeids=nodes["yes"],
        nodes_falsenodeids=nodes["no"],
        target_treeids=leaves["tree"],
        target_nodeids=leaves["id"],
        target_ids=[0] * len(leaves["id"]),
        target_weights=leaves["weight"],
    )
    return one_graph("isolation_forest", [trees, helper.make_node("Exp", ["log_score"], [OUTPUT])], features, OUTPUT, 1)
