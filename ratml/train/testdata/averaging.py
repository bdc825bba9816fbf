"""Writes averaging.json: averages of the weights of a small network by PyTorch 2.15's torch.optim.swa_utils, and its
running statistics by update_bn on batches of 4, 4 and 2 images."""
import json
import numpy as np
import torch
from torch import nn
from torch.optim import swa_utils

rng = np.random.default_rng(5)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 3, 3, 1, 1, bias=False), nn.BatchNorm2d(3)
        self.conv2, self.bn2 = nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = self.bn1(self.conv1((x - 0.5) / 0.25)).relu()
        return self.fc(self.bn2(self.conv2(x)).relu().mean((2, 3)))


def random(net):
    for name, t in net.state_dict().items():
        if t.is_floating_point():
            v = rng.normal(size=t.shape)
            t.copy_(torch.tensor(abs(v) + 0.5 if "var" in name else v))


def flat(t):
    return [float(str(v)) for v in t.detach().numpy().flatten()]  # no more digits than float32 has


def state(net):
    return {n: dict(shape=list(t.shape), data=flat(t)) for n, t in net.state_dict().items() if t.is_floating_point()}


net = Net()
swa = swa_utils.AveragedModel(net)
ema = swa_utils.AveragedModel(net, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9), use_buffers=True)
weights = []
for n in range(4):
    random(net)
    weights.append(state(net))
    swa.update_parameters(net)
    ema.update_parameters(net)  # copies the first ones
images = rng.integers(256, size=(10, 1, 8, 8), dtype=np.uint8)
out = dict(weights=weights, swa=state(swa.module), ema=state(ema.module), images=images.flatten().tolist())
swa_utils.update_bn([torch.tensor(b.astype(np.float32) / 255) for b in np.split(images, [4, 8])], swa)
out["updated"] = state(swa.module)
json.dump(out, open("averaging.json", "w"))
