"""Writes convolutional.json: tensors, outputs and input gradients of convolutional networks of torchvision, pytorchcv and
the official code of OpenMix, with the weights and images of generated.py.

pip install torch torchvision pytorchcv; git clone https://github.com/Impression2805/OpenMix;
python convolutional.py OpenMix > convolutional.json. Written with torch 2.15.0, torchvision 0.29.2, pytorchcv 0.0.74 and
commit f9906e0 of OpenMix. With names of networks as further arguments it writes, for these, outputs and gradients at
full size instead.
"""

import hashlib
import importlib
import json
import re
import sys

import numpy as np
import torch
import torchvision.models as models
from pytorchcv.model_provider import _models as cv_models
from pytorchcv.models.densenet_cifar import get_densenet_cifar
from pytorchcv.models.preresnet_cifar import get_preresnet_cifar
from pytorchcv.models.resnet_cifar import get_resnet_cifar
from pytorchcv.models.resnext_cifar import get_resnext_cifar
from pytorchcv.models.sepreresnet_cifar import get_sepreresnet_cifar
from pytorchcv.models.seresnet_cifar import get_seresnet_cifar
from torch import nn
from torchvision.models.densenet import DenseNet
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.vgg import VGG, make_layers

import generated

sys.path.insert(0, sys.argv[1])
om = {m: importlib.import_module("model." + m) for m in ("resnet", "resnet18", "wrn", "densenet_BC", "vgg")}

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CIFAR = ([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010])
OPENMIX = {10: ([0.491, 0.482, 0.447], [0.247, 0.243, 0.262]), 100: ([0.507, 0.487, 0.441], [0.267, 0.256, 0.276])}

TORCHVISION = """resnet18 resnet34 resnet50 resnet101 resnet152 wide_resnet50_2 wide_resnet101_2 resnext50_32x4d
resnext101_32x8d resnext101_64x4d densenet121 densenet161 densenet169 densenet201
vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn""".split()
CV = """resnet20 resnet56 resnet110 resnet164bn resnet272bn resnet542bn resnet1001 resnet1202
preresnet20 preresnet56 preresnet110 preresnet164bn preresnet272bn preresnet542bn preresnet1001 preresnet1202
seresnet20 seresnet56 seresnet110 seresnet164bn seresnet272bn sepreresnet20 sepreresnet56 sepreresnet110
sepreresnet164bn sepreresnet272bn wrn16_10 wrn28_10 wrn40_8 densenet40_k12 densenet40_k12_bc densenet40_k24_bc
densenet40_k36_bc densenet100_k12 densenet100_k24 densenet100_k12_bc densenet190_k40_bc densenet250_k24_bc
resnext20_16x4d resnext20_32x2d resnext20_32x4d resnext29_32x4d resnext29_16x64d""".split()
CV = [n + "_cifar10" for n in CV] + [n + "_cifar100" for n in CV[::4]] + ["resnet20_svhn", "densenet40_k12_bc_svhn"]

OM = {
    "resnet110": lambda c: om["resnet"].resnet110(num_classes=c),
    "resnet18": lambda c: om["resnet18"].ResNet18(c),
    "wrn28_10": lambda c: om["wrn"].WideResNet(28, c, 10),
    "densenet_bc_100_12": lambda c: om["densenet_BC"].DenseNet3(100, c, 12),
    "vgg16": lambda c: om["vgg"].vgg16(num_classes=c),
}
OM = {f"openmix_{n}_cifar{c}": (c, f) for n, f in OM.items() for c in (10, 100)}

LISTED = """resnet18 resnext50_32x4d densenet121 vgg11_bn resnet20_cifar10 preresnet164bn_cifar10 seresnet20_cifar10
sepreresnet20_cifar10 densenet40_k12_cifar10 densenet40_k12_bc_cifar10 resnext29_32x4d_cifar10 openmix_resnet18_cifar10
openmix_vgg16_cifar10""".split()


def published(name):
    """The number of parameters that pytorchcv states, in the tests at the end of its modules."""
    source = open(importlib.import_module(cv_models[name].__module__).__file__).read()
    return int(re.search(r"model != %s or weight_count == (\d+)" % name, source)[1])


def build(name):
    """The network, its normalisation and the published number of parameters (0 for none)."""
    if name in TORCHVISION:
        return models.get_model(name), IMAGENET, models.get_model_weights(name).DEFAULT.meta["num_params"]
    if name in OM:
        classes, net = OM[name]
        return net(classes), OPENMIX[classes], 0
    return cv_models[name](), CIFAR, published(name)


def small():
    """A small network of each family, with 10 classes, the size of its images and their normalisation."""
    for name, norm in ("vgg", False), ("vgg_bn", True):
        net = VGG(make_layers([8, "M", 16, 16, "M"], norm))
        net.classifier = nn.Sequential(nn.Linear(16 * 49, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10))
        yield name, 38, net, IMAGENET
    yield "resnet", 45, ResNet(BasicBlock, [2, 1, 1, 1], 10), IMAGENET
    yield "resnext", 45, ResNet(Bottleneck, [1, 1, 1, 1], 10, groups=4, width_per_group=8), IMAGENET
    yield "densenet", 45, DenseNet(4, (2, 1), 8, num_classes=10), IMAGENET
    yield "resnet8_cifar10", 32, get_resnet_cifar(10, 8, False), CIFAR
    yield "resnet11bn_cifar10", 32, get_resnet_cifar(10, 11, True), CIFAR
    yield "preresnet8_cifar10", 32, get_preresnet_cifar(10, 8, False), CIFAR
    yield "preresnet11bn_cifar10", 32, get_preresnet_cifar(10, 11, True), CIFAR
    yield "seresnet8_cifar10", 32, get_seresnet_cifar(10, 8, False), CIFAR
    yield "sepreresnet11bn_cifar10", 32, get_sepreresnet_cifar(10, 11, True), CIFAR
    yield "densenet7_k4_cifar10", 32, get_densenet_cifar(10, 7, 4, False), CIFAR
    yield "densenet16_k4_bc_cifar10", 32, get_densenet_cifar(10, 16, 4, True), CIFAR
    yield "resnext11_4x2d_cifar10", 32, get_resnext_cifar(10, 11, 4, 2), CIFAR
    om_resnet = om["resnet"].PreAct_ResNet_Cifar(om["resnet"].PreActBasicBlock, [1, 1, 1], num_classes=10)
    yield "openmix_resnet8_cifar10", 32, om_resnet, OPENMIX[10]
    yield "openmix_wrn10_1_cifar10", 32, om["wrn"].WideResNet(10, 10, 1), OPENMIX[10]
    yield "openmix_densenet_bc_10_4_cifar10", 32, om["densenet_BC"].DenseNet3(10, 10, 4), OPENMIX[10]
    yield "openmix_resnet18_cifar10", 32, om["resnet18"].ResNet18(10), OPENMIX[10]
    yield "openmix_vgg16_cifar10", 32, om["vgg"].vgg16(num_classes=10), OPENMIX[10]


def load(net):
    state = net.state_dict()
    for name, v in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = torch.from_numpy(generated.tensor(name, tuple(v.shape)))
    net.load_state_dict(state)
    return net.eval()


def described(name):
    with torch.device("meta"):
        net, _, number = build(name)
    lines = sorted(f"{n} {list(v.shape)}" for n, v in net.state_dict().items() if not n.endswith("num_batches_tracked"))
    t = models.get_model_weights(name).DEFAULT.transforms() if name in TORCHVISION else None
    return {
        "Name": name,
        "Params": sum(p.numel() for p in net.parameters()),
        "Published": number,
        "Preprocess": f"resize {t.resize_size[0]} {t.interpolation.value}, crop {t.crop_size[0]}" if t else "",
        "Tensors": len(lines),
        "SHA256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        **({"List": lines} if name in LISTED else {}),
    }


def passed(name, size, net, normalisation):
    """Outputs for two images, and samples of the gradient of their sum with generated weights, in double precision."""
    net = load(net).double()
    x = torch.from_numpy(generated.images(2, size, size)).double().requires_grad_()
    mean, std = (torch.tensor(np.float32(v)).double() for v in normalisation)
    logits = net(((x - mean) / std).permute(0, 3, 1, 2))
    (logits * torch.from_numpy(generated.uniform("logits", logits.numel())).view_as(logits)).sum().backward()
    g = x.grad.flatten().numpy()
    at = np.linspace(0, g.size - 1, 41).astype(int)
    short = lambda v: [float(f"{x:.9g}") for x in v]
    return {
        "Name": name, "Size": size, "Logits": short(logits.detach().flatten().tolist()),
        "At": at.tolist(), "Gradient": short(g[at].tolist()), "Norm": float(np.sqrt(g @ g)), "Largest": float(abs(g).max()),
    }


if len(sys.argv) > 2:
    out = {"Passes": [passed(n, 224 if n in TORCHVISION else 32, *build(n)[:2]) for n in sys.argv[2:]]}
else:
    out = {"Nets": [described(n) for n in TORCHVISION + CV + list(OM)], "Passes": [passed(*s) for s in small()]}
json.dump(out, sys.stdout, indent=0)
