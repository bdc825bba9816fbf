"""Exports classifiers to ONNX, with logits and input gradients, for the tests of package onnx.

    python export.py          small nets, into this folder
    python export.py DIR      large nets of torchvision and pytorchcv, random weights, into DIR

Made with Python 3.11, torch 2.15.0, torchvision 0.29, pytorchcv 0.0.74, onnx 1.23.2, onnxscript 0.7.2. Beside NAME.onnx
lies NAME.json: images [n, height, width, channels] as a seed for values in [0,1] of the generator below, logits and
the gradient of the sum of all logits, each times its weight, with respect to images in the layout of channels last.
Every net is evaluated in float64 for the reference.
"""
import json
import os
import sys

import numpy as np
import onnx
import torch
from torch import nn
import torch.nn.functional as F

from values import values


def reference(net, name, shape, n=3, seed=1, extra=None, images=None):
    """Writes NAME.json for a net that takes images with channels first."""
    c, h, w = shape
    x = values(n * h * w * c, seed).reshape(n, h, w, c)
    x = torch.from_numpy(x).double().requires_grad_()
    net64 = net.double().eval()
    y = net64(x.permute(0, 3, 1, 2))
    if y.ndim > 2:
        y = y.flatten(1)
    weight = torch.from_numpy(values(y.numel(), seed + 1)).double().reshape(y.shape)
    (y * weight).sum().backward()
    d = dict(shape=[n, h, w, c], seed=seed, logits=[float(f"{v:.7g}") for v in y.detach().flatten().tolist()])
    g = x.grad.flatten().numpy()
    d["gradientNorm"] = float(np.linalg.norm(g))
    keep = np.linspace(0, len(g) - 1, min(len(g), 3000)).astype(int)
    d["gradientAt"] = keep.tolist() if len(keep) < len(g) else None
    d["gradient"] = [float(f"{v:.6g}") for v in g[keep].tolist()]
    d.update(extra or {})
    with open(name + ".json", "w") as f:
        json.dump(d, f, separators=(",", ":"))


def export(net, name, shape, batch=2, dynamo=False, dynamic=True, opset=17, **kw):
    net = net.float().eval()
    x = torch.zeros(batch, *shape)
    args = dict(input_names=["image"], output_names=["logits"], opset_version=opset)
    if dynamo:
        if dynamic:
            args["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
        args.pop("opset_version")
        torch.onnx.export(net, (x,), name + ".onnx", dynamo=True, external_data=False, verbose=False, **args, **kw)
    else:
        if dynamic:
            args["dynamic_axes"] = {"image": {0: "batch"}, "logits": {0: "batch"}}
        torch.onnx.export(net, (x,), name + ".onnx", dynamo=False, **args, **kw)
    clean(name + ".onnx")


def clean(name):
    """Drops what exporters note about the machine and the source."""
    m = onnx.load(name)
    for holder in [m, m.graph, *m.graph.node, *m.graph.initializer, *m.graph.value_info, *m.graph.input, *m.graph.output]:
        if hasattr(holder, "metadata_props"):
            del holder.metadata_props[:]
        holder.doc_string = ""
    del m.graph.value_info[:]
    onnx.save(m, name)


def randomize(net, seed):
    """Gives every parameter and statistic seeded values that keep activations of order 1."""
    g = torch.Generator().manual_seed(seed)
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d,)):
            m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
            m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim > 1:
                p.copy_(torch.randn(p.shape, generator=g) * (2 / p[0].numel()) ** 0.5)
            else:
                p.add_(torch.randn(p.shape, generator=g) * 0.1)
    return net


class Residual(nn.Module):
    """A residual net with even kernels, both poolings, batch normalisation that cannot be folded away."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 2, stride=2)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 4, padding=1)
        self.bn2 = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.mean = nn.AvgPool2d(2)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.stem(x)))
        y = F.relu(self.conv1(x))
        y = self.conv2(F.pad(y, (1, 0, 1, 0)))
        x = self.bn2(F.relu(x + y))
        x = self.mean(self.pool(x))
        return self.fc(x.mean((2, 3)))


class Mobile(nn.Module):
    """Depthwise convolutions, squeeze and excitation, hard activations."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.deep1 = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.deep2 = nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=4)
        self.squeeze = nn.Conv2d(8, 4, 1)
        self.excite = nn.Conv2d(4, 8, 1)
        self.fc1 = nn.Linear(12, 16)
        self.fc2 = nn.Linear(16, 6)

    def forward(self, x):
        x = F.hardswish(self.stem(x))
        x = F.relu6(self.deep1(x))
        s = F.adaptive_avg_pool2d(x, 1)
        x = x * F.hardsigmoid(self.excite(F.relu(self.squeeze(s))))
        x = F.silu(self.deep2(x))
        x = F.leaky_relu(self.grouped(x), 0.1)
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.fc2(F.elu(self.fc1(x)))


class Transformer(nn.Module):
    """A vision transformer with a class token and PyTorch's attention."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.position = nn.Parameter(torch.zeros(1, 17, 16))
        self.norm1 = nn.LayerNorm(16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm2 = nn.LayerNorm(16)
        self.up = nn.Linear(16, 32)
        self.down = nn.Linear(32, 16)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 7)

    def forward(self, x):
        n, _, _, _ = x.shape
        x = self.patch(x).reshape(n, 16, -1).permute(0, 2, 1)
        x = torch.cat([self.token.expand(n, -1, -1), x], 1) + self.position
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(self.norm(x)[:, 0])


class Windows(nn.Module):
    """Attention in windows of a feature map, ConvNeXt's layer scale, channel-last linear layers, odd poolings."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=2, padding=1)
        self.deep = nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.norm = nn.LayerNorm(8)
        self.fc1 = nn.Linear(8, 16)
        self.fc2 = nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.ones(8))
        self.qkv = nn.Linear(8, 24)
        self.bias = nn.Parameter(torch.zeros(2, 16, 16))
        self.proj = nn.Linear(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.stem(x)
        y = self.norm(self.deep(x).permute(0, 2, 3, 1))
        y = self.fc2(F.gelu(self.fc1(y), approximate="tanh")) * self.scale
        x = x.permute(0, 2, 3, 1) + y
        b, h, w, c = x.shape
        x = torch.roll(x, (1, 1), (1, 2))
        x = x.view(b, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        q, k, v = self.qkv(x).reshape(x.shape[0], 16, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q @ k.transpose(-2, -1) * 0.5 + self.bias).softmax(-1)
        x = self.proj((a @ v).transpose(1, 2).reshape(-1, 16, c))
        x = x.view(b, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        x = x.permute(0, 3, 1, 2)
        x = F.avg_pool2d(x, 3, stride=2, padding=1) + F.max_pool2d(x, 3, stride=2, padding=1)
        return self.head(F.avg_pool2d(x, 2, ceil_mode=True, padding=1).amax((2, 3)))


class Normalised(nn.Module):
    """Normalisation inside, a softmax at the end."""

    def __init__(self, softmax):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1))
        self.net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.PReLU(6), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 9, 4))
        self.softmax = softmax

    def forward(self, x):
        y = self.net((x - self.mean) / self.std)
        return y.softmax(1) if self.softmax else y


def small():
    nets = dict(residual=(Residual(), (3, 16, 16)), mobile=(Mobile(), (3, 16, 16)),
                transformer=(Transformer(), (3, 16, 16)), windows=(Windows(), (3, 16, 16)))
    for i, (name, (net, shape)) in enumerate(nets.items()):
        net = randomize(net, i)
        reference(net, name, shape, seed=10 + i)
        export(net, name + "_script", shape)
        export(net, name + "_dynamo", shape, dynamo=True)
        if name in ("transformer", "windows"):
            export(net, name + "_batch1", shape, batch=1, dynamic=False)
            export(net, name + "_batch2", shape, batch=2, dynamic=False, dynamo=True)
    # Batch normalisation as it is trained, not folded into convolutions, in an old operation set.
    export(nets["residual"][0], "residual_unfolded", (3, 16, 16), opset=11, do_constant_folding=False,
           training=torch.onnx.TrainingMode.PRESERVE)
    net = randomize(Normalised(False), 9)
    reference(net, "normalised", (3, 8, 8), seed=20)
    net.softmax = True
    export(net, "normalised_script", (3, 8, 8))
    export(net, "normalised_external", (3, 8, 8))
    m = onnx.load("normalised_external.onnx")
    if os.path.exists("normalised_external.bin"):
        os.remove("normalised_external.bin")
    onnx.save(m, "normalised_external.onnx", save_as_external_data=True, location="normalised_external.bin", size_threshold=64)


def digits():
    """A net for MNIST with the normalisation outside and inside, the latter with channels last in a fixed batch."""
    net = randomize(nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10)), 30)
    export(net, "mnist_outside", (1, 28, 28))

    class Inside(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net((x.permute(0, 3, 1, 2) - 0.1307) / 0.3081)

    export(Inside(), "mnist_inside", (28, 28, 1), batch=1, dynamic=False)


def large(folder):
    import torchvision.models as tv
    from pytorchcv.model_provider import get_model
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    names = dict(resnet20_cifar10=32, wrn16_10_cifar10=32, densenet40_k12_cifar10=32, resnet18=64, densenet121=64,
                 vit_b_16=224, convnext_tiny=64, mobilenet_v3_small=64, mobilenet_v2=64, efficientnet_b0=64, swin_t=64,
                 squeezenet1_1=64, googlenet=64, regnet_x_400mf=64, shufflenet_v2_x1_0=64, vgg11_bn=64)
    for i, (name, size) in enumerate(names.items()):
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        torch.manual_seed(i)
        if "cifar" in name:
            net = get_model(name, pretrained=False)
        else:
            net = getattr(tv, name)(weights=None, **(dict(init_weights=True, aux_logits=False) if name == "googlenet" else {}))
        g = torch.Generator().manual_seed(i)
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.copy_(torch.randn(m.running_mean.shape, generator=g) * 0.1)
                m.running_var.copy_(torch.rand(m.running_var.shape, generator=g) + 0.5)
        if name == "vit_b_16":  # its head starts as zero
            nn.init.normal_(net.heads.head.weight, std=0.02)
        net.eval()
        shape = (3, size, size)
        try:
            export(net, name + "_script", shape)
        except torch.onnx.errors.SymbolicValueError as e:  # such as an adaptive pooling that does not divide
            print(name, "has no script export:", str(e).split("[")[0])
        export(net, name + "_dynamo", shape, dynamo=True)
        reference(net, name, shape, n=2, seed=30 + i)
        print(name, flush=True)


if __name__ == "__main__":
    torch.manual_seed(0)
    if len(sys.argv) > 1:
        large(sys.argv[1])
    else:
        small()
        digits()
