"""The boosted trees as ONNX, with the same bytes for the same trees."""

from __future__ import annotations

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
    """Where the converter wrote 1.0 for every node, the training rows that came to it; nothing that scores reads them."""
    attributes = {attribute.name: attribute for attribute in trees.attribute}
    keys = zip(attributes["nodes_treeids"].ints, attributes["nodes_nodeids"].ints, strict=True)
    position = {key: index for index, key in enumerate(keys)}
    modes, yes, no = (attributes[f"nodes_{name}"] for name in ("modes", "truenodeids", "falsenodeids"))
    counts = attributes["nodes_hitrates"].floats
    for tree, dumped in enumerate(booster.dump_model()["tree_info"]):
        pending = [(0, dumped["tree_structure"])]
        while pending:
            node, own = pending.pop()
            at = position[tree, node]
            is_leaf = "left_child" not in own
            if is_leaf != (modes.strings[at] == b"LEAF"):
                raise TrainerError("TrainingFailed", "The trees' ONNX form has other nodes than the trees.")
            # a tree that is a leaf alone says no count: every row came to it
            counts[at] = float(own.get("leaf_count", 1) if is_leaf else own["internal_count"])
            if not is_leaf:
                pending += [(yes.ints[at], own["left_child"]), (no.ints[at], own["right_child"])]


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
