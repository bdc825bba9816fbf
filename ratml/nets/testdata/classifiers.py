"""Writes classifiers.json: tensors, outputs and input gradients of torchvision's networks, with the weights and images
of generated.py.

pip install torch torchvision; python classifiers.py > classifiers.json. Written with torch 2.15.0 and torchvision
0.29.2. With names of networks as arguments it writes, for these, outputs and gradients at full size instead.
"""

import hashlib
import json
import sys

import numpy as np
import torch
import torchvision.models as models
from torch import nn
from torchvision.ops import StochasticDepth
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

import generated

NAMES = """mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0 convnext_tiny convnext_small convnext_base
vit_b_16 vit_b_32 vit_l_16 swin_t""".split()
LISTED = "mobilenet_v2 mobilenet_v3_small efficientnet_b0 convnext_tiny vit_b_32 swin_t".split()

# Buffers that hold no weights.
BUFFERS = ("num_batches_tracked", "relative_position_index")


def small():
    """A small network of each family, with 10 classes, and the size of its images."""
    block = lambda *a: InvertedResidualConfig(*a, 1, 1.0)
    yield "mobilenet_v2", 32, MobileNetV2(10, inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]])
    yield "mobilenet_v3", 33, MobileNetV3([block(16, 3, 16, 16, True, "RE", 2), block(16, 3, 72, 24, False, "RE", 1), block(24, 5, 96, 24, True, "HS", 1)], 64, 10)
    yield "efficientnet", 32, EfficientNet([MBConvConfig(1, 3, 1, 24, 16, 1), MBConvConfig(6, 5, 2, 16, 24, 2)], 0.2, num_classes=10)
    yield "convnext", 41, ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 2)], 0.1, num_classes=10)
    yield "vit", 24, VisionTransformer(24, 8, 2, 3, 24, 32, num_classes=10)
    yield "swin", 44, SwinTransformer([4, 4], 12, [2, 1], [2, 3], [3, 3], stochastic_depth_prob=0.2, num_classes=10)


def load(net):
    state = net.state_dict()
    for name, v in state.items():
        if not name.endswith(BUFFERS):
            state[name] = torch.from_numpy(generated.tensor(name, tuple(v.shape)))
    net.load_state_dict(state)
    return net.eval()


def tensors(net):
    return [f"{name} {list(v.shape)}" for name, v in net.state_dict().items() if not name.endswith(BUFFERS)]


def described(name):
    with torch.device("meta"):
        net = models.get_model(name)
    lines = sorted(tensors(net))
    weights = models.get_model_weights(name)
    t = weights.DEFAULT.transforms()
    return {
        "Name": name,
        "Params": sum(p.numel() for p in net.parameters()),
        "Published": weights.IMAGENET1K_V1.meta["num_params"],
        "Preprocess": f"resize {t.resize_size[0]} {t.interpolation.value}, crop {t.crop_size[0]}",
        "Tensors": len(lines),
        "SHA256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        **({"List": lines} if name in LISTED else {}),
    }


def passed(name, size, net):
    """Outputs for two images, and samples of the gradient of their sum with weights, in double precision; and how far off
    both are in single precision."""
    def run(to):
        x = torch.from_numpy(generated.images(2, size, size)).to(to).requires_grad_()
        mean, std = (torch.tensor(np.float32(v)).to(to) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        logits = net.to(to)(((x - mean) / std).permute(0, 3, 1, 2))
        (logits.flatten() * torch.from_numpy(generated.uniform("logits", logits.numel())).to(to)).sum().backward()
        return logits.detach().flatten().double().numpy(), x.grad.flatten().double().numpy()

    def train():
        """Logits in training, batches of two, where dropout and stochastic depth happen to keep everything."""
        x = (torch.from_numpy(generated.images(2, size, size)).double() - torch.tensor(np.float32([0.485, 0.456, 0.406])).double()) / torch.tensor(np.float32([0.229, 0.224, 0.225])).double()
        nn.Dropout.forward = StochasticDepth.forward = lambda self, y: y / (1 - self.p) if self.training else y
        return net.train()(x.permute(0, 3, 1, 2)).detach().flatten().numpy()

    net = load(net)
    single, logits_and_gradient = run(torch.float32), run(torch.float64)
    off = [float(abs(a - b).max() / abs(b).max()) for a, b in zip(single, logits_and_gradient)]
    print(name, "in float32, of the largest element: logits off by %.2g, gradient by %.2g" % tuple(off), file=sys.stderr)
    logits, g = logits_and_gradient
    at = np.linspace(0, g.size - 1, 61).astype(int)
    short = lambda v: [float(f"{x:.10g}") for x in v]
    return {
        "Name": name, "Size": size, "Logits": short(logits),
        "At": at.tolist(), "Gradient": short(g[at]), "Norm": float(np.sqrt(g @ g)), "Largest": float(abs(g).max()), "Training": short(train()),
        "Buffers": {k: v.tolist() for k, v in net.state_dict().items() if k.endswith("relative_position_index") and v.numel() < 100},
    }


if len(sys.argv) > 1:
    out = {"Passes": [passed(n, 224, models.get_model(n)) for n in sys.argv[1:]]}
else:
    out = {"Nets": [described(n) for n in NAMES], "Passes": [passed(*s) for s in small()]}
json.dump(out, sys.stdout, indent=0)
