"""A model runtime for MLServer that runs an ONNX file: the least a runtime can do."""

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

DATATYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [(out.name, DATATYPES[out.type]) for out in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        given = payload.inputs[0]
        rows = np.array(given.data.root, dtype=np.float32).reshape(given.shape)
        answers = self._session.run(None, {self._input: rows})
        outputs = [
            ResponseOutput(
                name=name, shape=list(data.shape), datatype=datatype, data=data.ravel().tolist()
            )
            for (name, datatype), data in zip(self._outputs, answers)
        ]
        return InferenceResponse(
            id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs
        )
