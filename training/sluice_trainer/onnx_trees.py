"""The boosted trees as ONNX, with the same bytes for the same trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lightgbm as lgb
import onnx
from onnx import TensorProto, helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from .errors import TrainerError
from .float32 import with_float32_thresholds

INPUT, PROBABILITIES = "features", "probabilities"


def booster_to_onnx(booster: lgb.Booster) -> bytes:
    """
    Input `features` float32 [n, F], output `probabilities` float32 [n, 2]. `nodes_hitrates` are the training rows that came to
    each node, which explanations of scores need.
    """
    converted = convert_lightgbm(
        with_float32_thresholds(booster),
        initial_types=[(INPUT, FloatTensorType([None, booster.num_feature()]))],
        zipmap=False,
    )
    # Only the ensemble is kept. Around it the converter puts copies, a class decided at 0.5 (decisions come from the
    # thresholds), a random graph name, and operator sets in the order of a hash: with those, no two exports are alike.
    [trees] = [node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier"]
    trees.output[:] = ["label", PROBABILITIES]
    set_hit_rates(trees, booster)
    return one_graph("pipeline", [trees], booster.num_feature(), PROBABILITIES, 2)


def set_hit_rates(trees: onnx.NodeProto, booster: lgb.Booster) -> None:
    """The converter writes 1.0 for every node, in the order of `node_counts`; nothing that computes scores reads them."""
    counts = [count for tree in booster.dump_model()["tree_info"] for count in node_counts(tree["tree_structure"])]
    attributes = {attribute.name: attribute for attribute in trees.attribute}
    modes = attributes["nodes_modes"].strings
    if [mode == b"LEAF" for mode in modes] != [is_leaf for is_leaf, _ in counts]:
        raise TrainerError("TrainingFailed", "The trees' ONNX form has other nodes than the trees.")
    attributes["nodes_hitrates"].floats[:] = [float(count) for _, count in counts]


def node_counts(node: dict[str, Any]) -> Iterator[tuple[bool, int]]:
    """Whether each node is a leaf, and its training rows: a node, then what is left below it, then right."""
    if "left_child" not in node:
        # a tree that is a leaf alone says no count; every row came to it
        yield True, node.get("leaf_count", 1)
        return
    yield False, node["internal_count"]
    yield from node_counts(node["left_child"])
    yield from node_counts(node["right_child"])


def one_graph(name: str, nodes: list[onnx.NodeProto], features: int, output: str, columns: int) -> bytes:
    """A checked model of these nodes from `features` to one output, as bytes that depend on nothing else."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, columns])],
    )
    operators = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=operators, ir_version=8, producer_name="sluice_trainer")
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)
