"""The boosted trees as ONNX, with the same bytes for the same trees."""

from __future__ import annotations

import lightgbm as lgb
import onnx
from onnx import TensorProto, helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from .float32 import with_float32_thresholds

INPUT, PROBABILITIES = "features", "probabilities"


def booster_to_onnx(booster: lgb.Booster) -> bytes:
    """Input `features` float32 [n, F], output `probabilities` float32 [n, 2]."""
    converted = convert_lightgbm(
        with_float32_thresholds(booster),
        initial_types=[(INPUT, FloatTensorType([None, booster.num_feature()]))],
        zipmap=False,
    )
    # Only the ensemble is kept. Around it the converter puts copies, a class decided at 0.5 (decisions come from the
    # thresholds), a random graph name, and operator sets in the order of a hash: with those, no two exports are alike.
    [trees] = [node for node in converted.graph.node if node.op_type == "TreeEnsembleClassifier"]
    trees.output[:] = ["label", PROBABILITIES]
    return one_graph("pipeline", [trees], booster.num_feature(), PROBABILITIES, 2)


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
