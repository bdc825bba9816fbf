"""Measures in PyTorch what bench measures. The argument is a request, the output the answer, both JSON (torch.go)."""

import json
import re
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as e:
    sys.exit(f"{e}; install PyTorch with {sys.executable} -m pip install torch")


class WideUnit(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(out)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.shortcut = None
        if channels != out or stride != 1:
            self.shortcut = nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        active = F.relu(self.bn1(x), inplace=True) if self.shortcut else F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        return y + (self.shortcut(active) if self.shortcut else x)


class WideResNet(nn.Module):
    """Pre-activation wide residual network of Zagoruyko & Komodakis (2016)."""

    def __init__(self, depth, width, channels, classes):
        super().__init__()
        units = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False)]
        last = 16
        for stage in range(3):
            out = 16 * width << stage
            for unit in range((depth - 4) // 6):
                units.append(WideUnit(last, out, 2 if stage and not unit else 1))
                last = out
        self.body = nn.Sequential(*units, nn.BatchNorm2d(last), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.output = nn.Linear(last, classes)

    def forward(self, x):
        return self.output(self.body(x))


def small_cnn(channels, classes):
    layers = []
    for out, stride in ((16, 2), (32, 2), (64, 1)):
        layers += [nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Normalized(nn.Module):
    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x):
        return self.net((x - self.mean) / self.std)


def build(arch):
    """Returns the network and where it comes from."""
    name, source = arch["name"], "own"
    if m := re.fullmatch(r"wrn(\d+)_(\d+)_(cifar10|cifar100|svhn)", name):
        depth, width = int(m[1]), int(m[2])
        try:
            from pytorchcv.models.wrn_cifar import get_wrn_cifar

            net, source = get_wrn_cifar(num_classes=arch["classes"], blocks=depth, width_factor=width), "pytorchcv"
        except ImportError:
            net = WideResNet(depth, width, arch["channels"], arch["classes"])
    elif re.fullmatch(r"smallcnn_(mnist|fashion_mnist)", name):
        net = small_cnn(arch["channels"], arch["classes"])
    else:
        sys.exit(f"no {name} here: want wrn<depth>_<width>_... or smallcnn_...")
    return Normalized(net, arch["mean"], arch["std"]), source


def operations(request, memory_format):
    """Returns a function for each operation, on one batch."""
    arch = request["archs"][0]
    torch.manual_seed(request["seed"])
    shape = request["batch"], arch["channels"], arch["height"], arch["width"]
    x = torch.rand(shape).contiguous(memory_format=memory_format)
    labels = torch.randint(arch["classes"], (shape[0],))

    def network():
        return build(arch)[0].to(memory_format=memory_format)

    net = network().eval()

    def forward():
        with torch.no_grad():
            return net(x)

    def gradient():
        at = x.clone().requires_grad_()
        logits = net(at)
        return logits, torch.autograd.grad(F.cross_entropy(logits, logits.argmax(1), reduction="sum"), at)[0]

    def rr_fast(step=1e-3):
        at = x.clone().requires_grad_()
        before = net(at)
        direction = torch.autograd.grad(F.softmax(before, 1).amax(1).log().sum(), at)[0].sign()
        with torch.no_grad():
            after, best = net(at - step * direction), before.argmax(1, keepdim=True)
            margin, then = before.gather(1, best) - before, after.gather(1, best) - after
            rate = (margin - then) / step
            return torch.where((rate > 0) & (margin > 0), margin / rate, 1.0).amin(1).clamp(max=1)

    def rr_bs(iterations=24):
        """The loop of the official code (models/BaseModel.py, utils/attacks.py FGSM)."""
        with torch.no_grad():
            predicted = net(x).argmax(1)
        low, high = torch.full(shape[:1], 1e-6), torch.full(shape[:1], torch.inf)
        for _ in range(iterations):
            level = torch.minimum((low + high) / 2, low * 2)
            at = x.clone().requires_grad_()
            direction = torch.autograd.grad(F.cross_entropy(net(at), predicted), at)[0].sign()
            with torch.no_grad():
                moved = (at + level[:, None, None, None] * direction).clamp(0, 1)
                same = net(moved).argmax(1) == predicted
            low, high = torch.where(same, level, low), torch.where(same, high, level)
        return (low + torch.where(high.isinf(), low, high)) / 2

    def trained(loss):
        net = network().train()
        sgd = torch.optim.SGD(net.parameters(), lr=request["rate"], momentum=request["momentum"], weight_decay=request["decay"])

        def step():
            sgd.zero_grad()
            total = loss(net)
            total.backward()
            sgd.step()
            return total.item()

        return step

    def rat(net, step=1e-3):
        """The loss of the official training step (models/RadTrainer.py, --flex_direction)."""
        at = x.clone().requires_grad_()
        logits = net(at)
        clean = F.cross_entropy(logits, labels)
        sign = torch.autograd.grad(clean, at, retain_graph=True)[0].sign()
        right = (logits.argmax(1) == labels)[:, None, None, None]
        moved = x + step * torch.where(right, sign, -sign)
        return clean + F.cross_entropy(net(moved), labels)

    return {
        "forward": forward,
        "gradient": gradient,
        "plain": trained(lambda net: F.cross_entropy(net(x), labels)),
        "rat": trained(rat),
        "rr_fast": rr_fast,
        "rr_bs": rr_bs,
    }


def measure(request):
    """Times operations in rounds, as measure in timing.go."""
    calls = []
    for layout, memory_format in ("NCHW", torch.contiguous_format), ("channels_last", torch.channels_last):
        table = operations(request, memory_format)
        calls += [(layout, name, table[name]) for name in request["operations"]]
    answer = []
    for layout, name, call in calls:
        begin = time.perf_counter()
        call()
        answer.append({"layout": layout, "operation": name, "first_seconds": time.perf_counter() - begin, "images_per_second": []})
        call()
    for _ in range(request["rounds"]):
        for (_, _, call), result in zip(calls, answer):
            begin, images = time.perf_counter(), 0
            while not images or time.perf_counter() - begin < request["seconds"]:
                call()
                images += request["batch"]
            result["images_per_second"].append(images / (time.perf_counter() - begin))
    return answer


def about(request):
    nets = {}
    for arch in request["archs"]:
        net, source = build(arch)
        nets[arch["name"]] = {"parameters": sum(p.numel() for p in net.parameters()), "source": source}
    return {"version": torch.__version__, "nets": nets}


request = json.loads(sys.argv[1])
torch.set_num_threads(request["threads"])
json.dump(measure(request) if request["operations"] else about(request), sys.stdout)
