"""The same work as an MLServer runtime: one tensor of JSON texts in, one out.

That costs MLServer less than a tensor for each field.
"""

from __future__ import annotations

import gc

import orjson
from bundle_scorer import BundleScorer, Transaction
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput
from pydantic import TypeAdapter

READ = TypeAdapter(Transaction).validate_json


class BundleRuntime(MLModel):
    async def load(self) -> bool:
        self._scorer = BundleScorer(self.settings.parameters.uri)
        self._parameters = Parameters(**self._scorer.versions)
        gc.freeze()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = payload.inputs[0].data.root
        results = self._scorer.score([READ(text) for text in texts])
        data = [orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY).decode() for result in results]
        return InferenceResponse(
            model_name=self.name,
            parameters=self._parameters,
            outputs=[ResponseOutput(name="results", shape=[len(data), 1], datatype="BYTES", data=data)],
        )
