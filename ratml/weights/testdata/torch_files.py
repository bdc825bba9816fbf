"""Writes the files of PyTorch that the tests read, and torch_files.json with what is in them.

    python torch_files.py

Written with torch 2.15.0 (CPU) and numpy 2.4. Seeds are fixed; the tests compare values exactly.
"""

import argparse
import collections
import json
import pathlib
import pickle
import sys
import types
import zipfile

import numpy as np
import torch

here = pathlib.Path(__file__).parent


def mixed():
    """Every kind of tensor that a state dict can hold."""
    base = torch.arange(24, dtype=torch.float32) / 8 - 1
    shared = torch.tensor([1.5, -2.0, 0.25, 8.0, 3.0, -7.0])
    return collections.OrderedDict([
        ("f32", base.reshape(2, 3, 4)),
        ("f64", torch.tensor([0.0, -0.0, 1 / 3, 1e30], dtype=torch.float64)),
        ("f16", torch.tensor([[0.5, 65504.0], [6e-8, -1 / 3]], dtype=torch.float16)),
        ("bf16", torch.tensor([1.0, -2.5, 3e38, 1 / 3], dtype=torch.bfloat16)),
        ("transposed", torch.arange(6.0).reshape(2, 3).t()),
        ("permuted", base.reshape(2, 3, 4).permute(2, 0, 1)),
        ("channels_last", base.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)),
        ("every_other", base[1::2]),
        ("expanded", torch.tensor([[3.0], [4.0]]).expand(2, 3)),
        ("first", shared[:4]),
        ("last", shared[2:]),
        ("tied", shared),
        ("parameter", torch.nn.Parameter(torch.tensor([9.0, -9.0]))),
        ("scalar", torch.tensor(-0.5)),
        ("empty", torch.zeros(0, 3)),
        ("bn.num_batches_tracked", torch.tensor(17)),
    ])


def expect(state):
    return {k: {"shape": list(v.shape), "data": v.detach().float().flatten().tolist()} for k, v in state.items()
            if not k.endswith("num_batches_tracked")}


class AttributeDict(dict):
    """Stands in for Lightning's class of hyper-parameters."""


def lightning():
    module = types.ModuleType("lightning.fabric.utilities.data")
    for name in ("lightning", "lightning.fabric", "lightning.fabric.utilities"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[module.__name__] = module
    AttributeDict.__module__, AttributeDict.__qualname__ = module.__name__, "AttributeDict"
    module.AttributeDict = AttributeDict
    return AttributeDict


def small():
    """The network smallcnn_mnist, with weights of a normal distribution in float16."""
    torch.manual_seed(7)
    state = collections.OrderedDict()
    inputs = 1
    for i, outputs in enumerate((16, 32, 64), 1):
        state[f"conv{i}.weight"] = torch.randn(outputs, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
        state[f"bn{i}.weight"] = 1 + torch.randn(outputs) / 10
        state[f"bn{i}.bias"] = torch.randn(outputs) / 10
        state[f"bn{i}.running_mean"] = torch.randn(outputs) / 10
        state[f"bn{i}.running_var"] = 1 + torch.rand(outputs)
        state[f"bn{i}.num_batches_tracked"] = torch.tensor(1000)
        inputs = outputs
    state["fc.weight"] = torch.randn(10, 64) / 8
    state["fc.bias"] = torch.randn(10) / 10
    return {k: v.half() if v.is_floating_point() else v for k, v in state.items()}


def main():
    state = mixed()
    torch.save(state, here / "mixed.pth")
    torch.save(state, here / "mixed_legacy.pth", _use_new_zipfile_serialization=False)
    for protocol in (1, 3, 4, 5):
        torch.save(state, here / f"mixed_protocol{protocol}.pth", pickle_protocol=protocol)
    torch.save(state, here / "mixed_legacy_protocol4.pth", _use_new_zipfile_serialization=False, pickle_protocol=4)
    torch.serialization.set_crc32_options(False)
    torch.save(state, here / "mixed_no_checksum.pth")
    torch.serialization.set_crc32_options(True)
    with zipfile.ZipFile(here / "mixed.pth.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.write(here / "mixed.pth", "mixed.pth")
    with zipfile.ZipFile(here / "mixed.pth") as z, zipfile.ZipFile(here / "mixed_deflated.pth", "w", zipfile.ZIP_DEFLATED) as out:
        for name in z.namelist():
            out.writestr(name, z.read(name))
    torch.save({"module." + k: v for k, v in state.items()}, here / "mixed_dataparallel.pth")

    weights = {"backbone." + k: v for k, v in state.items()}
    weights["mean"], weights["std"] = torch.full((1, 3, 1, 1), 0.5), torch.full((1, 3, 1, 1), 0.25)
    torch.save({
        "epoch": 3, "global_step": 1200, "pytorch-lightning_version": "2.5.0", "state_dict": weights,
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_path": "", "best_model_score": torch.tensor(0.5)}},
        "optimizer_states": [{"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}],
        "hparams_name": "kwargs", "hyper_parameters": lightning()(lr=0.1, path=pathlib.PurePosixPath("runs")),
    }, here / "mixed_lightning.ckpt")
    torch.save({
        "epoch": 12, "best_acc": np.float64(93.5), "args": argparse.Namespace(lr=0.1, depth=28), "arch": "own",
        "history": np.arange(3.0), "sizes": torch.Size([2, 3]), "device": torch.device("cpu"), "dtype": torch.float16,
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": []},
        "net": state, "ema": {k: v * 0 for k, v in state.items()}, "seen": {1, 2}, "log": collections.defaultdict(list, a=[1]),
    }, here / "mixed_checkpoint.pt")

    torch.save(small(), here / "smallcnn.pth")

    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), torch.nn.ReLU())
    torch.save(net, here / "module.pth")
    torch.save(net, here / "module_legacy.pth", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(net), here / "script.pt")
    torch.save(torch.ones(2), here / "tensor.pth")
    torch.save({"epoch": 1, "optimizer": {"state": {}}}, here / "no_weights.pth")
    torch.save({"a": {"x": torch.ones(1)}, "b": {"x": torch.ones(1)}}, here / "two_dicts.pth")
    torch.save({"index": torch.arange(3, dtype=torch.int32)}, here / "integers.pth")
    torch.save({"w": torch.ones(2), "index": torch.ones(2, dtype=torch.uint16)}, here / "unsigned.pth")
    torch.save({"generator": {"w": torch.ones(2)}, "optimizer": {"exp_avg": torch.zeros(2)}}, here / "generator.pth")
    torch.save({"epoch": 1, "model": {"epoch": 2, "state_dict": {"w": torch.ones(2)}}}, here / "nested.pth")
    average = torch.optim.swa_utils.AveragedModel(torch.nn.Linear(2, 1))
    torch.save(average.state_dict(), here / "averaged.pth")
    swin = {"attn.relative_position_bias_table": torch.ones(9, 2), "attn.relative_position_index": torch.zeros(16, dtype=torch.int64)}
    torch.save(swin, here / "window.pth")
    with open(here / "pickle.pth", "wb") as f:
        pickle.dump({"a": [1.0, 2.0]}, f, protocol=2)
    with open(here / "code.pth", "wb") as f:
        pickle.dump(pathlib.Path.exists, f, protocol=2)

    with open(here / "torch_files.json", "w") as f:
        json.dump({"mixed": expect(state), "smallcnn": {k: [float(v.float().flatten()[0]), float(v.double().sum())]
                   for k, v in small().items() if v.is_floating_point()}}, f, indent=None, separators=(",", ":"))
        f.write("\n")


main()
