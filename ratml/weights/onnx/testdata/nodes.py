"""Collects the onnx package's own backend tests of operations that image classifiers use.

    python nodes.py          a compact part, into nodes.tar.gz
    python nodes.py DIR      all of them, into DIR, a folder each

Made with Python 3.11 and onnx 1.23.2, whose generators are seeded. A test is a model with inputs and outputs, in the
layout of onnx/backend/test/data.
"""
import gzip
import io
import os
import sys
import tarfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test import data as _data  # noqa: F401  the converted ones

OPERATIONS = """
Abs Add And AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv Cos
CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm
GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity
InstanceNormalization LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mish
Mod Mul Neg Not Or PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceMax ReduceMean ReduceMin
ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus
Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tanh ThresholdedRelu Tile Transpose Trilu Unsqueeze Where Xor
""".split()


def node_tests():
    for case in collect_testcases(None):
        main = [n.op_type for n in case.model.graph.node]
        if len(main) == 1 and main[0] in OPERATIONS and not case.model.functions:
            yield case.name, case.model, case.data_sets[0]


def converted_tests():
    root = os.path.dirname(_data.__file__) if _data.__file__ else list(_data.__path__)[0]
    for kind in ["pytorch-converted", "pytorch-operator", "simple"]:
        for name in sorted(os.listdir(os.path.join(root, kind))):
            folder = os.path.join(root, kind, name)
            used = {n.op_type for n in onnx.load(os.path.join(folder, "model.onnx")).graph.node}
            if not used <= set(OPERATIONS):
                continue
            files = sorted(os.listdir(os.path.join(folder, "test_data_set_0")))
            yield name, folder, files


def pb(value, name):
    return numpy_helper.from_array(np.asarray(value), name).SerializeToString()


def entries():
    """Yields name, {path: bytes}."""
    for name, model, (inputs, outputs) in node_tests():
        files = {"model.onnx": model.SerializeToString()}
        try:
            for kind, values, infos in [("input", inputs, model.graph.input), ("output", outputs, model.graph.output)]:
                for i, (v, info) in enumerate(zip(values, infos)):
                    data = v.SerializeToString() if isinstance(v, onnx.TensorProto) else pb(v, info.name)
                    files[f"test_data_set_0/{kind}_{i}.pb"] = data
        except Exception as e:  # sequences and optionals are no tensors
            print("left out", name, e)
            continue
        yield name, files
    for name, folder, names in converted_tests():
        files = {}
        for f in ["model.onnx"] + ["test_data_set_0/" + n for n in names]:
            with open(os.path.join(folder, f), "rb") as file:
                files[f] = file.read()
        yield name, files


def main():
    if len(sys.argv) > 1:
        for name, files in entries():
            for path, data in files.items():
                path = os.path.join(sys.argv[1], name, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(data)
        return
    with open("nodes.tar.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as t:
        for name, files in entries():
            if sum(map(len, files.values())) > 3000 or "cast" in name or "uint" in name or "int8" in name or "int16" in name or "string" in name:
                continue
            for path, data in files.items():
                info = tarfile.TarInfo(f"{name}/{path}")
                info.size = len(data)
                t.addfile(info, io.BytesIO(data))


if __name__ == "__main__":
    main()
